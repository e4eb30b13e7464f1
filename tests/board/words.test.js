import assert from "node:assert/strict";
import { test } from "node:test";

import {
  bytesText, changeText, countText, fieldText, intervalText, levelText, lossText, nameParts,
  percentText, readPercent, scoreText, shareText, shortText, signedPoints, signedScore, valueText,
} from "../../pruneviz/ui/board/words.js";

const each = (write, pairs) => {
  for (const [given, text] of pairs) assert.equal(write(given), text, `of ${given}`);
};

test("counts have their thousands apart and a real minus", () => {
  each(countText, [[0, "0"], [1234567, "1,234,567"], [-5, "−5"], [NaN, "–"], [null, "–"],
    [undefined, "–"]]);
});

test("a name comes in pieces, so that what tells layers apart is cut last", () => {
  const told = (name) => nameParts(name).map(({ kind, text }) => `${kind}:${text}`).join(" ");
  each(told, [["blocks.0.attn.q_proj", "path:blocks. digits:0. word:attn. last:q_proj"],
    ["layer2.0.downsample.0", "digits:layer2.0. word:downsample. digits:0"],
    ["model.layers.10.mlp.fc1", "path:model.layers. digits:10. word:mlp. digits:fc1"],
    ["encoder.query", "path:encoder. last:query"], ["fc", "last:fc"], ["0", "digits:0"],
    ["", "last:"], ["a..b", "path:a.. last:b"]]);
  for (const name of ["blocks.0.attn.q_proj", "a..b", ".", "lstm.weight_hh_l0"]) {
    assert.equal(nameParts(name).map((part) => part.text).join(""), name);
  }
});

test("shares are told in per cent, never as minus zero", () => {
  each(percentText, [[0.5034, "50.3"], [1, "100.0"], [-0.012, "−1.2"], [-0.0001, "0.0"],
    [NaN, "–"], [undefined, "–"]]);
  assert.equal(percentText(0.126, 0), "13");
  assert.equal(shareText(1, 3), "33.3 %");
  assert.equal(shareText(1, 0), "–");
});

test("a score is a share or stands as it is, small ones with a further digit", () => {
  each(scoreText, [[0.503, "50.3 %"], [undefined, "– %"]]);
  each((x) => scoreText(x, false),
    [[0.50349, "0.503"], [-0.0123, "−0.012"], [0.0003, "0.0003"], [0, "0.000"], [null, "–"]]);
});

test("changes carry their sign", () => {
  each(signedPoints, [[0.012, "+1.2"], [-0.012, "−1.2"], [0, "0.0"], [0.0001, "0.0"], [null, "–"]]);
  each(changeText, [[-0.012, "−1.2 points"], [0.2, "+20.0 points"]]);
  each((x) => changeText(x, false), [[0.012, "+0.012"], [-0.012, "−0.012"], [undefined, "–"]]);
  each((x) => signedScore(x, false), [[0.5, "+0.500"], [0, "0.000"]]);
  each(lossText, [[0.01, "1 point"], [0.05, "5 points"]]);
  assert.equal(lossText(0.01, false), "0.01");
});

test("an interval has its unit once", () => {
  assert.equal(intervalText(0.5, 0.625), "50.0 – 62.5 %");
  assert.equal(intervalText(-0.5, 0.25, false), "−0.500 – 0.250");
});

test("a field has no idle zeros and is read back as it stands", () => {
  each(fieldText, [[0.5, "50"], [1 / 3, "33.3"], [0.9995, "100"], [0.9994, "99.9"], [NaN, ""]]);
  assert.equal(levelText(0.125), "12.5 %");
  for (let k = 0; k <= 1000; k += 1) {
    const share = readPercent(fieldText(k / 1000));
    assert.ok(Math.abs(share - k / 1000) < 1e-12, `${k}`);
  }
});

test("what people type for a share", () => {
  each(readPercent, [["53", 0.53], ["53 %", 0.53], [" 53,5% ", 0.535], [".5", 0.005], ["+7", 0.07],
    ["-3", 0], ["250", 1], ["", null], ["x", null], ["5 0", null], ["1e2", null], ["%", null]]);
});

test("sizes and big counts have three figures at most", () => {
  each(bytesText, [[0, "0 B"], [999, "999 B"], [1000, "1.00 kB"], [12345, "12.3 kB"],
    [123456, "123 kB"], [5e9, "5.00 GB"], [NaN, "–"]]);
  each(shortText, [[12, "12"], [1234, "1.23 k"], [45.6e6, "45.6 M"], [7e15, "7000 T"]]);
});

test("a measured value of any size", () => {
  each(valueText, [[0, "0"], [0.12345, "0.123"], [-12.345, "−12.3"], [123456, "1.2e5"],
    [0.00012, "1.2e−4"], [Infinity, "∞"], [NaN, "–"], [undefined, "–"]]);
});
