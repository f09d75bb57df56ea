import { availableParallelism } from "node:os";
import { packageRoot } from "../package-root.js";
import { BackendClient, type Heartbeat } from "./client.js";
import { BackendLost } from "./errors.js";
import { BackendProcess } from "./process.js";
import { findPython } from "./python.js";

export interface BackendOptions {
  /** Control endpoint of a backend that is running already; absent: one is started. */
  readonly url?: string | undefined;
  readonly python?: string | undefined;
  readonly device: string;
  readonly threads: number | "auto";
  readonly listen: string;
  readonly startSeconds: number;
  readonly heartbeat: Heartbeat;
}

/** A backend to work with, whoever started it. */
export interface Backend {
  readonly client: BackendClient;
  /** Ends it if we started it; only the connection otherwise. */
  stop(): Promise<void>;
}

const SHUTDOWN_ANSWER_SECONDS = 5;

/** Attaches to a running backend, or starts one. */
export async function openBackend(options: BackendOptions): Promise<Backend> {
  if (options.url !== undefined) {
    const client = await BackendClient.connect(options.url, options);
    return { client, stop: async () => client.close() };
  }
  const child = await BackendProcess.start({
    python: findPython(options.python),
    packageRoot,
    device: options.device,
    threads: options.threads === "auto" ? availableParallelism() : options.threads,
    listen: options.listen,
    startSeconds: options.startSeconds,
  });
  try {
    const client = await BackendClient.connect(child.controlEndpoint, options);
    void child.exited.then((how) => client.fail(new BackendLost(`the backend ended: ${how}`)));
    return { client, stop: () => stopChild(client, child) };
  } catch (error) {
    await child.stop({ asked: false });
    throw error;
  }
}

async function stopChild(client: BackendClient, child: BackendProcess): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), SHUTDOWN_ANSWER_SECONDS * 1000);
  });
  const answered = client.control("shutdown", {}).then(
    () => true,
    () => false,
  );
  const asked = await Promise.race([answered, late]);
  clearTimeout(timer);
  await child.stop({ asked });
  client.close();
}
