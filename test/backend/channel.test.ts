import { afterEach, beforeEach, expect, test } from "vitest";
import { Channel } from "../../src/backend/channel.js";
import { encode } from "../../src/backend/codec.js";
import { BackendError } from "../../src/backend/errors.js";
import { type Random, random } from "../../src/kernels/random.js";
import { type Asked, FakeBackend } from "./fake-backend.js";

let fake: FakeBackend;
let channel: Channel;

beforeEach(async () => {
  fake = await FakeBackend.start();
  channel = new Channel(fake.work.endpoint);
});

afterEach(() => {
  channel.close();
  fake.stop();
});

const score = (...indices: number[]) =>
  channel.request("score", { session: "s", signals: ["loss"], batchSize: 1 }, { indices: Uint32Array.from(indices) });

const scored = (loss: number[]) =>
  [
    "score_ok",
    { session: "s", indicesSha256: "0".repeat(64), seconds: 0.5 },
    { loss: Float32Array.from(loss) },
  ] as const;

test("a request goes out as it was given, and its answer comes back", async () => {
  const answered = score(3, 1, 4);
  const asked = await fake.work.next();
  expect(asked.message).toEqual({
    type: "score",
    id: 1,
    fields: { session: "s", signals: ["loss"], batchSize: 1 },
    arrays: { indices: Uint32Array.of(3, 1, 4) },
  });
  await asked.answer(...scored([0.5, Number.NaN, Infinity]));
  const { fields, arrays } = await answered;
  expect(fields).toEqual({ session: "s", indicesSha256: "0".repeat(64), seconds: 0.5 });
  expect(arrays.loss).toEqual(Float32Array.of(0.5, Number.NaN, Infinity));
});

test("ids rise, and answers may come in any order", async () => {
  const answers = [score(1), score(2), score(3)];
  const asked = [await fake.work.next(), await fake.work.next(), await fake.work.next()];
  expect(asked.map(({ message }) => message.id)).toEqual([1, 2, 3]);
  for (const at of [2, 0, 1]) await asked[at].answer(...scored([at]));
  const losses = (await Promise.all(answers)).map(({ arrays }) => arrays.loss?.[0]);
  expect(losses).toEqual([0, 1, 2]);
});

/** Every answer is doubled, and held back while others overtake it, as this says; some are of another session. */
async function answerOddly(count: number, seed: number): Promise<number> {
  const numbers = random(seed, "noise", 0);
  const asked: Asked[] = [];
  while (asked.length < count) asked.push(await fake.work.next());
  const due = asked.flatMap((each) => [each, each]);
  shuffleList(due, numbers);
  let strange = 0;
  for (const { message, answer, answerFrames } of due) {
    const loss = Float32Array.of(message.id);
    const [type, fields] = scored([]);
    if (numbers.below(3) === 0) {
      await answer(type, { ...fields, session: "another" }, { loss: Float32Array.of(-1) });
      await answerFrames(encode(1000 + message.id, type, fields, { loss }));
      strange += 2;
    }
    await answer(type, fields, { loss });
  }
  return strange + count;
}

function shuffleList<T>(list: T[], numbers: Random): void {
  for (let last = list.length - 1; last > 0; last--) {
    const chosen = numbers.below(last + 1);
    [list[last], list[chosen]] = [list[chosen], list[last]];
  }
}

test.each([1, 2, 3])(
  "answers that are doubled, out of sequence and of another session change nothing (%d)",
  async (seed) => {
    const answers = Array.from({ length: 12 }, (_, at) => score(at));
    const strange = await answerOddly(12, seed);
    const losses = (await Promise.all(answers)).map(({ arrays }) => arrays.loss?.[0]);
    expect(losses).toEqual(Array.from({ length: 12 }, (_, at) => at + 1));
    const last = score(12); // behind all that was sent
    await (await fake.work.next()).answer(...scored([13]));
    await last;
    expect(channel.dropped).toBe(strange);
    expect(channel.answers).toBe(13);
  },
);

test("an answer about another step is dropped and counted, and the right one taken", async () => {
  const saved = channel.request("save", { session: "s", step: 4, part: 0 }, {});
  const asked = await fake.work.next();
  const fields = { session: "s", step: 4, part: 0, parts: 1, sha256: "0".repeat(64), totalBytes: 1, notices: [] };
  for (const other of [{ step: 3 }, { part: 1 }, { session: "t" }]) {
    await asked.answer("save_ok", { ...fields, ...other }, { bytes: Uint8Array.of(1) });
  }
  await asked.answer("save_ok", fields, { bytes: Uint8Array.of(2) });
  expect((await saved).arrays.bytes).toEqual(Uint8Array.of(2));
  expect(channel.dropped).toBe(3);
});

test("a state that was loaded is a session of its own", async () => {
  const asked = { session: "s", step: 4, part: 0, parts: 1, sha256: "0".repeat(64) };
  const loaded = channel.request("load", asked, { bytes: Uint8Array.of(1) });
  await (await fake.work.next()).answer("load_ok", { session: "fresh", step: 4, part: 0 });
  expect((await loaded).fields.session).toBe("fresh");
  expect(channel.dropped).toBe(0);
});

test("an answer that nobody waits for is let go", async () => {
  const answered = score(1);
  const asked = await fake.work.next();
  await asked.answerFrames(encode(77, ...scored([1])));
  await asked.answer(...scored([2]));
  await asked.answer(...scored([3])); // a second one
  expect((await answered).arrays.loss?.[0]).toBe(2);
  const next = score(2);
  await (await fake.work.next()).answer(...scored([4]));
  expect((await next).arrays.loss?.[0]).toBe(4);
});

test("an error answer rejects its own request, with code, message and details", async () => {
  const refused = score(1);
  const fine = score(2);
  const [first, second] = [await fake.work.next(), await fake.work.next()];
  await first.answer("error", { code: "step_gap", message: "send from there", details: { step: 4, seenShape: [1] } });
  await second.answer(...scored([1]));
  await expect(refused).rejects.toMatchObject({
    constructor: BackendError,
    code: "step_gap",
    kind: "run",
    message: "send from there",
    details: { step: 4, seenShape: [1] },
  });
  await expect(fine).resolves.toBeDefined();
});

test("a bug of the backend says where its traceback is", async () => {
  const refused = score(1);
  await (await fake.work.next()).answer("error", { code: "internal", message: "KeyError: 'x'", details: {} });
  await expect(refused).rejects.toMatchObject({ code: "internal", message: /^KeyError: 'x' \(.*log\.txt.*\)$/ });
});

test("an error code of another version is an error of the wire that says both", async () => {
  const refused = score(1);
  await (await fake.work.next()).answer("error", { code: "moon_phase", message: "full", details: {} });
  await expect(refused).rejects.toMatchObject({ code: "bad_field", message: /moon_phase \(full\)/ });
});

test("an answer of another type rejects its request", async () => {
  const refused = score(1);
  await (await fake.work.next()).answer("close_ok", {});
  await expect(refused).rejects.toMatchObject({
    code: "unknown_type",
    message: "close_ok came where score_ok was due",
  });
});

test("an error without id is about a message that could not be read: all that waits is rejected", async () => {
  const waiting = [score(1), score(2)];
  const asked = await fake.work.next();
  await asked.answerFrames(encode(0, "error", { code: "bad_message", message: "not MessagePack", details: {} }, {}));
  for (const refused of waiting) await expect(refused).rejects.toMatchObject({ code: "bad_message" });
});

test("an answer that cannot be read rejects all that waits and all that is asked later", async () => {
  const waiting = [score(1), score(2)];
  await (await fake.work.next()).answerFrames([Buffer.from("c1", "hex")]);
  for (const refused of waiting) await expect(refused).rejects.toMatchObject({ code: "bad_message" });
  await expect(score(3)).rejects.toMatchObject({ code: "bad_message" });
});

test("the first failure is the one that is told", async () => {
  const waiting = score(1);
  channel.fail(new Error("first"));
  channel.fail(new Error("second"));
  await expect(waiting).rejects.toThrow("first");
  await expect(score(2)).rejects.toThrow("first");
});

test("closing rejects what waits", async () => {
  const waiting = score(1);
  channel.close();
  await expect(waiting).rejects.toThrow("the connection to the backend was closed");
});

test("many large messages at once arrive whole", async () => {
  const count = 50_000;
  fake.work.always(({ message, answer }) => {
    const { indices } = message.arrays as { indices: Uint32Array };
    void answer(
      "score_ok",
      { session: "s", indicesSha256: "0".repeat(64), seconds: 0.5 },
      { loss: Float32Array.from(indices) },
    );
  });
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, at) => score(...Array.from({ length: count }, (_, index) => (at + index) % 1000))),
  );
  answers.forEach(({ arrays }, at) => {
    expect(arrays.loss?.length).toBe(count);
    expect(arrays.loss?.every((loss, index) => loss === (at + index) % 1000)).toBe(true);
  });
});
