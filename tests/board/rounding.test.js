// Does the board round as Python does, so that one accuracy is told alike on every page? The cases
// are written by Python.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { fixedText, percentText } from "../../pruneviz/ui/board/words.js";

const cases = process.env.CASES ? JSON.parse(readFileSync(process.env.CASES, "utf8")) : [];

test("there are cases", { skip: !process.env.CASES && "pytest tests/test_board.py" }, () => {
  assert.ok(cases.length > 1000);
});

test("numbers are rounded as Python rounds them", () => {
  for (const { value, digits, text } of cases) {
    assert.equal(fixedText(value, digits), text, `${value} to ${digits}`);
  }
});

test("what lies half way goes to the even figure", () => {
  assert.equal(percentText(0.9825), "98.2");
  assert.equal(percentText(0.9875), "98.8");
  assert.equal(percentText(-0.0125), "−1.2");
  assert.equal(fixedText(0.5, 0), "0");
  assert.equal(fixedText(-1.5, 0), "-2");
});
