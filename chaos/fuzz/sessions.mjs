// Messages of chance that name a session which is open: what they ask for is tried.
import { Channel } from "../../dist/backend/channel.js";
import { fuzzBackend } from "./backend-side.mjs";

/** After an error in a chunk a session answers nothing but that it has failed: then another one is opened. */
const MESSAGES_A_SESSION = 200;
export const OPEN = {
  dataset: {
    origin: "import",
    name: "chaos_net:bars",
    options: { args: '{"train": 96, "test": 24}', test_args: null, load: "auto", workers: 0 },
  },
  dataDir: null,
  model: { origin: "import", name: "chaos_net:net", options: { args: '{"num_classes": 4}' } },
  loss: null,
  optimizer: { name: "adam", options: {} },
  augmentation: { crop: 0, flip: false },
  precision: "float32",
  channelsLast: "auto",
  equalBits: false,
  fast: true,
  seed: 1,
  modelSeed: null,
  owner: "fuzz",
};

/** As `fuzzBackend`. */
export async function fuzzSessions({ control, work, seed, first, count, onSent = () => {} }) {
  const faults = [];
  const opening = new Channel(work);
  for (let at = 0; at < count && faults.length === 0; at += MESSAGES_A_SESSION) {
    const { fields } = await opening.request("open", OPEN, {});
    const some = { first: first + at, count: Math.min(MESSAGES_A_SESSION, count - at), session: fields.session };
    faults.push(...(await fuzzBackend({ control, work, seed, ...some, onSent: (done) => onSent(at + done) })));
  }
  opening.close();
  return faults;
}
