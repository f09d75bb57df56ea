import { availableParallelism, freemem, totalmem } from "node:os";
import type { Backend } from "../backend/backend.js";
import { BackendError } from "../backend/errors.js";
import { IbatchError, Interrupted } from "../errors.js";
import { consecutive } from "../kernels/consecutive.js";
import { dataDirectory, openChosenBackend } from "../launch/chosen-backend.js";
import type { Session } from "../training/session.js";
import { asCalled } from "./called.js";
import type { DoctorOptions } from "./doctor-command.js";
import { EXIT } from "./exit-codes.js";
import { openProbe } from "./probe-session.js";

type Verdict = "ok" | "absent" | "damaged" | "missing";

interface Finding {
  readonly what: string;
  /** `absent`, `damaged`: data that only some configs need. `missing`: what every experiment needs. */
  readonly verdict: Verdict;
  readonly detail: string;
}

const GIB = 2 ** 30;
const MIN_NODE = [20, 19] as const;

/** `ibatch doctor`: exit code 4 when something is missing that every experiment needs. */
export async function doctor(options: DoctorOptions, signal: AbortSignal): Promise<number> {
  const findings: Finding[] = [];
  const found = (finding: Finding) => {
    findings.push(finding);
    if (!options.json)
      process.stdout.write(asCalled(`${finding.verdict.padEnd(8)} ${finding.what}: ${finding.detail}\n`));
  };
  found(node());
  found({
    what: "memory",
    verdict: "ok",
    detail: `${gib(freemem())} free of ${gib(totalmem())} GiB, ${availableParallelism()} cores`,
  });
  await examineBackend(options, signal, found);
  if (options.json) process.stdout.write(`${JSON.stringify(findings, null, 2)}\n`);
  return findings.some(({ verdict }) => verdict === "missing") ? EXIT.surroundings : EXIT.done;
}

const gib = (bytes: number): string => (bytes / GIB).toFixed(1);

function node(): Finding {
  const [major, minor] = process.versions.node.split(".").map(Number);
  const old = major < MIN_NODE[0] || (major === MIN_NODE[0] && minor < MIN_NODE[1]);
  return {
    what: "Node",
    verdict: old ? "missing" : "ok",
    detail: `${process.versions.node} (≥ ${MIN_NODE.join(".")} is needed)`,
  };
}

async function examineBackend(
  options: DoctorOptions,
  signal: AbortSignal,
  found: (finding: Finding) => void,
): Promise<void> {
  let backend: Backend;
  try {
    backend = await openChosenBackend(options, { signal });
  } catch (error) {
    if (error instanceof IbatchError && error.kind === "usage") throw error;
    found({ what: "backend", verdict: "missing", detail: messageOf(error) });
    return;
  }
  try {
    const { versions, device, deviceName, threads, precisions, catalogue } = backend.client.introduction;
    found({
      what: "Python",
      verdict: "ok",
      detail: `${versions.python}, torch ${versions.torch}, numpy ${versions.numpy}`,
    });
    found({ what: "device", verdict: "ok", detail: `${device} (${deviceName}), ${threads} threads` });
    found({ what: "precision", verdict: "ok", detail: precisionsText(precisions) });
    const datasets = catalogue.datasets.map(({ name }) => name);
    await examineDatasets(datasets, (name) => openProbe(backend.client, name, dataDirectory(options), signal), found);
  } finally {
    await backend.stop();
  }
}

/** Those that the device has, each with what there is to say of it. */
const precisionsText = (precisions: Readonly<Record<string, string>>): string =>
  Object.entries(precisions)
    .map(([name, said]) => (said === "" ? name : `${name} (${said})`))
    .join(", ");

/** Opens every dataset; a batch is trained on the first one that is there. */
async function examineDatasets(
  names: readonly string[],
  open: (name: string) => Promise<Session>,
  found: (finding: Finding) => void,
): Promise<void> {
  let trained = false;
  for (const name of names) {
    const what = `data ${name}`;
    try {
      const session = await open(name);
      try {
        found({ what, verdict: "ok", detail: `${session.opened.n} + ${session.testLabels.length} images` });
        if (!trained) found(await examineTraining(name, session));
        trained = true;
      } finally {
        await session.close();
      }
    } catch (error) {
      found({ what, verdict: dataVerdict(error), detail: withoutName(messageOf(error), name) });
    }
  }
  if (!trained) found({ what: "a training step", verdict: "missing", detail: "there is no dataset to train on" });
}

/** What the backend says of a dataset begins with its name, and so does the line. */
const withoutName = (text: string, name: string): string =>
  text.startsWith(`${name}: `) ? text.slice(name.length + 2) : text;

function dataVerdict(error: unknown): Verdict {
  const code = error instanceof BackendError ? error.code : undefined;
  if (code === "data_missing") return "absent";
  return code === "data_damaged" ? "damaged" : "missing";
}

async function examineTraining(name: string, session: Session): Promise<Finding> {
  const what = `a training step on ${name}`;
  try {
    return { what, verdict: "ok", detail: await trainOneBatch(session) };
  } catch (error) {
    return { what, verdict: "missing", detail: messageOf(error) };
  }
}

async function trainOneBatch(session: Session): Promise<string> {
  const batch = {
    firstStep: 0,
    indices: consecutive(32),
    offsets: Uint32Array.of(0, 32),
    learningRates: Float64Array.of(0.01),
    weights: undefined,
  };
  const { loss } = (await session.train(batch, { microBatch: null, average: null, extras: [] })).signals;
  const mean = loss.reduce((sum, value) => sum + value, 0) / loss.length;
  const untrained = Math.log(session.opened.classNames.length);
  return `32 images through the wire, mean loss ${mean.toFixed(3)} (untrained: about ${untrained.toFixed(1)})`;
}

const messageOf = (error: unknown): string => {
  if (error instanceof IbatchError && !(error instanceof Interrupted)) return error.message;
  throw error;
};
