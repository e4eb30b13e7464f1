import js from "@eslint/js";
import globals from "globals";

export default [
  { ignores: ["**/.*/", "**/build/", "pruneviz/report/"] },
  js.configs.recommended,
  {
    files: ["pruneviz/ui/board/*.js"],
    languageOptions: { globals: globals.browser },
  },
  {
    files: ["tests/board/*.js"],
    languageOptions: { globals: globals.node },
  },
  {
    rules: {
      "eqeqeq": ["error", "always", { null: "ignore" }],
      "no-shadow": ["error", { builtinGlobals: false }],
      "no-var": "error",
      "prefer-const": "error",
    },
  },
];
