// A hostile backend: before each right answer comes a message of chance. What was asked is then answered rightly, or refused by
// an error that says why, or the message was as good as an answer.
import { isDeepStrictEqual } from "node:util";
import { Router } from "zeromq";
import { Channel } from "../../dist/backend/channel.js";
import { decode, encode } from "../../dist/backend/codec.js";
import { BackendError } from "../../dist/backend/errors.js";
import { settlesWithin } from "../../dist/process/deadline.js";
import { messageAt } from "./messages.mjs";

const MOST_SECONDS = 60;
const MOST_FAULTS = 20;
const ASKED = ["status", { session: null }, {}];
const ANSWERS = {
  status: ["status_ok", { state: "idle", sessionOpen: false, step: 7, secondsSinceProgress: 0.5 }, {}],
  score: ["score_ok", { session: "s", indicesSha256: "0".repeat(64), seconds: 0.5 }, { loss: Float32Array.of(1, 2) }],
};
const REQUESTS = [
  ASKED,
  ["score", { session: "s", signals: ["loss"], batchSize: 1 }, { indices: Uint32Array.of(3, 4) }],
];

/**
 * As `fuzzBackend`, for the other side. `endpoint`: where the hostile one listens.
 * @param {{ endpoint: string, seed: number, first: number, count: number, onSent?: (done: number) => void }} how
 */
export async function fuzzController({ endpoint, seed, first, count, onSent = () => {} }) {
  const faults = [];
  const onUnhandled = (error) => faults.push(`nobody heard of ${error?.stack ?? error}`);
  process.on("unhandledRejection", onUnhandled);
  const router = new Router({ linger: 0 });
  await router.bind(endpoint);
  let channel;
  for (let number = first; number < first + count && faults.length < MOST_FAULTS; number++) {
    if (channel === undefined || channel.isBroken) {
      channel?.close();
      channel = new Channel(endpoint);
    }
    const { frames } = messageAt(seed, "controller", number);
    const fault = await askOnce(router, channel, REQUESTS[number % REQUESTS.length], frames);
    if (fault !== undefined) faults.push(`message ${number}: ${fault}`);
    onSent(number + 1 - first);
  }
  channel?.close();
  router.close();
  process.off("unhandledRejection", onUnhandled);
  return faults;
}

async function askOnce(router, channel, request, frames) {
  const [type] = request;
  let outcome;
  const asked = channel.request(...request).then(
    (answer) => {
      outcome = { answer };
    },
    (error) => {
      outcome = { error };
    },
  );
  const [sender, ...came] = await router.receive();
  const { id } = decode(came);
  await router.send([sender, ...frames]);
  await router.send([sender, ...encode(id, ...ANSWERS[type])]);
  await settlesWithin(MOST_SECONDS, asked);
  if (outcome === undefined) return `${type} was not answered in ${MOST_SECONDS} s`;
  const { error, answer } = outcome;
  if (error !== undefined) return error instanceof BackendError ? undefined : `${type} was refused by ${error.stack}`;
  const [, fields, arrays] = ANSWERS[type];
  const isRight = isDeepStrictEqual(answer, { fields, arrays });
  return isRight || isAnswer(frames, id, answer) ? undefined : `${type} was answered by ${JSON.stringify(answer)}`;
}

/** The message of chance itself may be one. */
function isAnswer(frames, id, { fields }) {
  try {
    const message = decode(frames);
    return message.id === id && isDeepStrictEqual(message.fields, fields);
  } catch {
    return false;
  }
}
