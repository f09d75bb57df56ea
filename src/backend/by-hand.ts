/** How a backend is started by hand, as README shows it. */
import { join, relative } from "node:path";
import { IbatchError } from "../errors.js";
import { packageRoot } from "../package-root.js";
import { findPython } from "../process/find-python.js";
import { quoted } from "../process/shell-words.js";
import { NO_USER_CODE, type UserCode } from "./backend-process.js";
import { type Credentials, NO_CREDENTIALS } from "./credentials.js";
import { addressOf, isLoopback } from "./endpoint.js";

/** What is asked of it. */
export interface AskedFor {
  readonly device: string;
  readonly threads: number | "auto";
  readonly userCode?: UserCode | undefined;
  readonly credentials?: Credentials | undefined;
}

/** The command that starts such a backend at the endpoint, for the directory that this one was given in; and what it may lack. */
export function howByHand(endpoint: string, asked: AskedFor): string {
  const { device, threads, userCode = NO_USER_CODE, credentials = NO_CREDENTIALS } = asked;
  const elsewhere = otherMachine(endpoint);
  const options = [
    ["--listen", elsewhere === undefined ? endpoint : `tcp://0.0.0.0:${elsewhere.port}`],
    ...(credentials.kind === "curve" ? [["--keys", "DIR"]] : []),
    ...(device === "auto" ? [] : [["--device", device]]),
    ...(threads === "auto" ? [] : [["--threads", String(threads)]]),
    ...userCode.allowImport.map((module) => ["--allow-import", module]),
    ...userCode.pythonPath.map((directory) => ["--python-path", directory]),
  ];
  const { environment, python } = elsewhere === undefined ? foundPython() : { environment: [], python: "python" };
  const command = [...environment, ...[python, "-m", "py_backend", ...options.flat()].map(quoted)].join(" ");
  const isFound = userCode.allowImport.length === 0 || userCode.pythonPath.length > 0;
  const where = elsewhere === undefined ? "" : ` on ${elsewhere.host}`;
  return `\`${command}\`${where}${isFound ? "" : " (and --python-path DIR where modules of yours are in DIR)"}`;
}

/** Undefined for this one. */
function otherMachine(endpoint: string): { readonly host: string; readonly port: number } | undefined {
  const address = addressOf(endpoint);
  return "port" in address && !isLoopback(endpoint) ? address : undefined;
}

/** In the package's own directory Python finds `py_backend` by itself. `environment`: quoted, but for its `=`. */
function foundPython(): { environment: string[]; python: string } {
  const python = anyPython();
  if (process.cwd() !== packageRoot) return { environment: [`PYTHONPATH=${quoted(packageRoot)}`], python };
  const isOurs = python.startsWith(join(packageRoot, "/"));
  return { environment: [], python: isOurs ? relative(packageRoot, python) : python };
}

/** A command that is shown may lack what a command that is given needs. */
function anyPython(): string {
  try {
    return findPython(undefined);
  } catch (error) {
    if (error instanceof IbatchError) return "python";
    throw error;
  }
}
