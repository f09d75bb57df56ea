import { availableParallelism, freemem, totalmem } from "node:os";
import type { Backend } from "../backend/backend.js";
import { BackendError } from "../backend/errors.js";
import { IbatchError } from "../errors.js";
import type { Session } from "../experiment/session.js";
import { dataDirectory, openChosenBackend } from "./chosen-backend.js";
import type { DoctorOptions } from "./doctor-command.js";
import { EXIT } from "./exit-codes.js";
import { openProbe } from "./probe-session.js";

type Verdict = "ok" | "absent" | "missing";

interface Finding {
  readonly what: string;
  /** `absent`: not there and only needed by some configs. */
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
    if (!options.json) process.stdout.write(`${finding.verdict.padEnd(8)} ${finding.what}: ${finding.detail}\n`);
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
    backend = await openChosenBackend(options);
  } catch (error) {
    found({ what: "backend", verdict: "missing", detail: messageOf(error) });
    return;
  }
  try {
    const { versions, device, deviceName, threads, catalogue } = backend.client.introduction;
    found({
      what: "Python",
      verdict: "ok",
      detail: `${versions.python}, torch ${versions.torch}, numpy ${versions.numpy}`,
    });
    found({ what: "device", verdict: "ok", detail: `${device} (${deviceName}), ${threads} threads` });
    for (const { name } of catalogue.datasets) found(await examineDataset(backend, name, options, signal));
  } finally {
    await backend.stop();
  }
}

/** Opens the dataset; for one that needs no files a batch is trained on as well. */
async function examineDataset(
  backend: Backend,
  name: string,
  options: DoctorOptions,
  signal: AbortSignal,
): Promise<Finding> {
  const carried = name === "digits";
  const what = carried ? "a training step on digits" : `data ${name}`;
  try {
    const session = await openProbe(backend.client, name, dataDirectory(options), signal);
    try {
      const { n, testCount } = session.opened;
      const detail = carried ? await trainOneBatch(session) : `${n} + ${testCount} images`;
      return { what, verdict: "ok", detail };
    } finally {
      await session.close();
    }
  } catch (error) {
    const absent = error instanceof BackendError && error.code === "data_missing" && !carried;
    return { what, verdict: absent ? "absent" : "missing", detail: messageOf(error) };
  }
}

async function trainOneBatch(session: Session): Promise<string> {
  const plan = {
    indices: Uint32Array.from({ length: 32 }, (_, index) => index),
    offsets: Uint32Array.of(0, 32),
    learningRates: Float64Array.of(0.01),
  };
  for await (const { loss } of session.train(plan, 0, 1)) {
    const mean = loss.reduce((sum, value) => sum + value, 0) / loss.length;
    return `32 images through the wire, mean loss ${mean.toFixed(3)} (untrained: about ${Math.log(10).toFixed(1)})`;
  }
  return "nothing came back";
}

const messageOf = (error: unknown): string => {
  if (error instanceof IbatchError) return error.message;
  throw error;
};
