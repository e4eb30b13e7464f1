import js from "@eslint/js";
import globals from "globals";

export default [
  { ignores: ["**/.*/", "**/build/"] },
  js.configs.recommended,
  {
    files: ["pruneviz/ui/*/*.js"],
    languageOptions: { globals: globals.browser },
  },
  {
    files: ["pruneviz/report/*.js"],
    languageOptions: { sourceType: "script", globals: { ...globals.browser, Plotly: "readonly" } },
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
