// Do the board's files keep to their rules?

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const FOLDER = new URL("../../pruneviz/ui/board/", import.meta.url);
const FILES = new Map(readdirSync(FOLDER).filter((name) => name.endsWith(".js"))
  .map((name) => [name, readFileSync(new URL(name, FOLDER), "utf8")]));

// Each record of the state is written by one file alone.
const OWNERS = { network: "answers.js", answer: "answers.js", plan: "plan.js",
  thumbnails: "thumbnails.js",
  requests: "requests.js", view: "view.js", hand: "hand.js", page: "board.js" };

const every = (complaints) => assert.deepEqual(complaints, []);

test("a file opens with one question", () => {
  every([...FILES].filter(([, text]) => !/^\/\/ [A-Z][^\n?]*\?\n\n/.test(text)).map(([x]) => x));
});

test("files and lines are not too long", () => {
  every([...FILES].filter(([, text]) => text.split("\n").length > 330).map(([name]) => name));
  every([...FILES].flatMap(([name, text]) => text.split("\n")
    .flatMap((line, i) => (line.length > 100 ? `${name}:${i + 1}` : []))));
});

test("a record is written by its owner alone", () => {
  const records = Object.keys(OWNERS).join("|");
  const part = `\\b(?:state\\.)?(${records})\\.[\\w.]+(?:\\[[^\\]]*\\])?`;
  const changes = "\\s*(?:=(?![=>])|[-+*/]=|\\?\\?=)"
    + "|\\.(?:add|delete|clear|set|push|pop|shift|splice)\\(";
  const writes = new RegExp(`${part}(?:${changes})`, "g");
  const nested = new RegExp(`state\\.(${records})\\s*=(?![=>])`, "g");
  every([...FILES].flatMap(([name, text]) => [...text.matchAll(writes), ...text.matchAll(nested)]
    .flatMap((hit) => (OWNERS[hit[1]] === name ? [] : `${name}: ${hit[0]}`))));
});

const joined = process.env.JOINED;

test("joined to one module, the board is a function", { skip: !joined && "no JOINED" }, async () => {
  const { default: board, ...others } = await import(joined);
  assert.equal(typeof board, "function");
  assert.deepEqual(others, {}, "nothing else is seen");
});
