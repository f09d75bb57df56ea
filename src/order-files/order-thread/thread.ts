/** What runs in an order's thread: it imports the user's file, and answers what is asked of the order in it. */
import { readFileSync } from "node:fs";
import { createRequire, register } from "node:module";
import { setImmediate, setTimeout } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { MessageChannel, type MessagePort, receiveMessageOnPort, threadId, workerData } from "node:worker_threads";
import { allocateMemory } from "../../orders/context.js";
import type { OrderDefinition } from "../../orders/contract.js";
import { declaredBy, errorText, ToldError, thrownText } from "../../orders/declared.js";
import { isOrderDefinition, missingMembers, unknownMembers } from "../../orders/definition-check.js";
import { readsOf } from "../../orders/ledger-options.js";
import { orderedBy } from "../../orders/ordered.js";
import { ownEntry } from "../../package-root.js";
import { sha256 } from "../../record/hash.js";
import { checkAll, checkAlone, rowsOf } from "../check-order.js";
import { chooseOptions } from "../choose-options.js";
import { batchesBy, type Deciding, ofEpoch } from "../run-order.js";
import { type GraphFile, isOwnFile } from "./graph.js";
import type { HooksData } from "./hooks.js";
import { learn, type OwnLedger, ownLedger } from "./learned.js";
import type { Answer, Exchanges, Imported, Question, Subject, ThreadData } from "./messages.js";
import { sendOutput } from "./output.js";
import { placed, placing } from "./placed.js";
import { SETTLED } from "./settled.js";
import { syntaxFault } from "./typescript.js";

const { entry, files, port, output }: ThreadData = workerData;
sendOutput(output);
// What orders import is there before hooks and source maps are, which would cost each of its files a question and a read.
await import(pathToFileURL(ownEntry).href);
process.setSourceMapsEnabled(true); // lines of TypeScript, where something is thrown
const loads = followImports();
const seen = new Set<string>();
/** An epoch that is decided batch by batch. */
let underWay: { readonly ledger: OwnLedger; readonly deciding: Deciding } | undefined;

async function main(): Promise<void> {
  const imported = await importOrder();
  const said: Imported =
    "refused" in imported ? imported : { description: describe(imported.definition), files: loadedFiles() };
  port.postMessage(said);
  if ("refused" in imported) return;
  port.on("message", async (question: Question) => {
    post(await answerTo(imported.definition, question));
  });
}

/** Registers the hooks. Returns where they say what was loaded. */
function followImports(): MessagePort {
  const { port1, port2 } = new MessageChannel();
  const served = new Map(files.flatMap((file) => (file.served === undefined ? [] : [[file.path, file.served]])));
  const data: HooksData = { entry, served, port: port2 };
  // Under an address of its own: hooks of one address are one module, also for other threads.
  register(`./hooks.js?thread=${threadId}`, { parentURL: import.meta.url, data, transferList: [port2] });
  return port1;
}

async function importOrder(): Promise<{ definition: OrderDefinition } | { refused: string }> {
  let exported: unknown;
  try {
    const module: { readonly default?: unknown } = await import(pathToFileURL(entry).href);
    exported = module.default;
  } catch (error) {
    return { refused: `importing ${entry} failed: ${thrownText(withLine(error)).replace(/^\w*Error: /, "")}` };
  }
  if (typeof exported !== "object" || exported === null) {
    const seen = exported === undefined ? "has no default export" : `exports a ${typeof exported} as its default`;
    return { refused: `${entry} ${seen}, expected export default defineOrder({ … })` };
  }
  const unknown = unknownMembers(exported).map((member) => `no order has the member ${member}`);
  if (isOrderDefinition(exported) && unknown.length === 0) return { definition: placing(exported, entry) };
  const missing = missingMembers(exported).join(", ");
  const expected = "options is a z.strictObject of the z that importance-batching exports";
  const wrong = missing === "" ? [] : [`${missing} missing or of the wrong type (${expected})`];
  return { refused: `the default export of ${entry} is no order: ${[...unknown, ...wrong].join("; ")}` };
}

/** As `placed`; where an ES module cannot be parsed, Node does not say in which line. */
function withLine(error: unknown): unknown {
  const told = placed(error, entry);
  if (told !== error || !(error instanceof SyntaxError)) return told;
  const [place] = loadedFiles().flatMap(({ path, served }) => (served ? syntaxFault(served.source, path) : []));
  return place === undefined ? error : new ToldError(`${errorText(error)} (${place})`, { cause: error });
}

const describe = (definition: OrderDefinition) => ({
  ...{ name: definition.name, summary: definition.summary, ...readsOf(definition) },
  optionNames: Object.keys(definition.options.shape),
});

/** The order's files that were loaded since this was asked last. */
function loadedFiles(): GraphFile[] {
  const loaded: GraphFile[] = [];
  for (let next = receiveMessageOnPort(loads); next !== undefined; next = receiveMessageOnPort(loads)) {
    loaded.push(next.message);
  }
  return [...loaded, ...requiredFiles()].filter(({ path }) => !seen.has(path) && seen.add(path));
}

/** `require` passes the hooks by. */
const requiredFiles = (): GraphFile[] =>
  Object.keys(createRequire(import.meta.url).cache)
    .filter((path) => isOwnFile(path, entry) && !seen.has(path))
    .map((path) => ({ path, sha256: sha256(readFileSync(path)) }));

async function answerTo(definition: OrderDefinition, question: Question): Promise<Answer<Subject>> {
  try {
    return { answer: await answered(definition, question) };
  } catch (error) {
    return { failed: thrownText(placed(error, entry)) };
  }
}

async function answered(definition: OrderDefinition, question: Question): Promise<Exchanges[Subject]["answer"]> {
  switch (question.subject) {
    case "choose":
      return chooseOptions(definition, question.given);
    case "check": {
      const checked = checkAll(definition, question.fixed, (at) => {
        Atomics.store(question.underWay, 0, at + 1);
      });
      await dueIsDone();
      return checked;
    }
    case "rows":
      return rowsOf(definition, question.fixed);
    case "alone":
      return checkAlone(definition, question.rows);
    case "memory":
      return allocateMemory(definition.memory ?? {}, question.n);
    case "order": {
      const { inputs, options } = question;
      const ordered = orderedBy(definition, declaredBy(definition, options), ofEpoch(inputs, options));
      return { ordered, memory: inputs.memory, files: loadedFiles() };
    }
    case "begin": {
      const { options, drawn } = question;
      const ledger = ownLedger(question.inputs.ledger);
      const inputs = { ...question.inputs, ledger };
      const deciding = batchesBy(definition, declaredBy(definition, options), { inputs, options, drawn });
      underWay = { ledger, deciding };
      return {};
    }
    case "candidates":
      return { named: epochUnderWay().deciding.candidates(question.place), files: loadedFiles() };
    case "next": {
      const { ledger, deciding } = epochUnderWay();
      const { batch, values } = question;
      learn(ledger, batch.learned, values);
      return { ordered: deciding.next(batch), files: loadedFiles() };
    }
    case "end":
      await importsAreLoaded();
      await dueIsDone();
      return { files: loadedFiles() };
  }
}

function epochUnderWay(): NonNullable<typeof underWay> {
  if (underWay === undefined) throw new Error("no epoch is under way");
  return underWay;
}

/** Imports that were begun were told by then: the first round lets the hooks hear of them, the second waits for them. */
async function importsAreLoaded(): Promise<void> {
  for (const round of ["heard", "loaded"]) await import(`${SETTLED}${round}`);
}

/** What nobody catches ends the thread meanwhile: a rejection, or an error of a timer that had run out. */
async function dueIsDone(): Promise<void> {
  await setTimeout(0); // behind all timers that are due
  await setImmediate();
}

function post(message: Answer<Subject>): void {
  try {
    port.postMessage(message);
  } catch (error) {
    port.postMessage({ failed: `what it gave cannot leave its thread: ${thrownText(error)}` });
  }
}

await main();
