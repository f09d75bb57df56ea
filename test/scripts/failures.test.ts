import { describe, expect, test } from "vitest";
import { classifyFailure, type FailureKind } from "../../scripts/setup/failures.mjs";

// What npm 10 and 11, pip 23 and Debian's venv printed, shortened.
const retrying =
  "WARNING: Retrying (Retry(total=0, connect=None)) after connection broken by 'NewConnectionError('<HTTPConnection>: " +
  "Failed to establish a new connection: [Errno 111] Connection refused')': /simple/torch/";
const noneKnown =
  "ERROR: Could not find a version that satisfies the requirement torch==2.13.0 (from versions: none)\n" +
  "ERROR: No matching distribution found for torch==2.13.0";
const outOfStep =
  "npm error code EUSAGE\nnpm error\nnpm error `npm ci` can only install packages when your package.json and " +
  "package-lock.json or npm-shrinkwrap.json are in sync.";

const cases: [string, FailureKind, string][] = [
  ["npm without a name server", "network", "npm error code ENOTFOUND\nnpm error syscall getaddrinfo"],
  ["npm ended by us after its second try", "network", "npm http fetch GET x/zod attempt 2 failed with ECONNREFUSED"],
  [
    "npm without a network, which blames the lock",
    "network",
    `npm http fetch GET x/zod attempt 1 failed with EAI_AGAIN\n${outOfStep}`,
  ],
  [
    "npm with one request tried again, and a lock that really does not fit",
    "lock",
    `npm http fetch GET x/zod attempt 1 failed with ECONNRESET\nnpm http fetch GET 200 x/zod 90ms\n${outOfStep}`,
  ],
  ["npm on a full disk", "disk", "npm warn tar TAR_ENTRY_ERROR ENOSPC: no space left on device, write"],
  ["npm behind a proxy that signs for all", "certificate", "npm error code SELF_SIGNED_CERT_IN_CHAIN"],
  ["npm in a folder of another user", "permission", "npm error code EACCES\nnpm error syscall mkdir"],
  ["npm with a version that is not there", "version", "npm error code ETARGET\nnpm error notarget No matching"],
  ["pip without a network", "network", `${retrying}\n${noneKnown}`],
  [
    "pip whose network went away in a download",
    "network",
    "  Downloading torch.whl (526 MB)\npip._vendor.urllib3.exceptions.ReadTimeoutError: HTTPSConnectionPool: Read timed out.",
  ],
  [
    "pip with one request tried again, and a disk that is full",
    "disk",
    `${retrying}\nERROR: Could not install packages due to an OSError: [Errno 28] No space left on device`,
  ],
  ["pip on a machine that torch has no wheel for", "version", noneKnown.replace("none", "1.0, 2.0")],
  [
    "pip with one request tried again, and a wheel that does not build",
    "other",
    `${retrying}\nERROR: Failed building wheel for x`,
  ],
  [
    "pip with an unknown certificate",
    "certificate",
    `WARNING: Retrying (Retry(total=0)) after connection broken by 'SSLError(SSLCertVerificationError(1, ` +
      `'[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate'))'\n${noneKnown}`,
  ],
  [
    "venv on Debian without its package",
    "venv",
    "The virtual environment was not created successfully because ensurepip is not available.",
  ],
  ["a Python built without venv", "venv", "/usr/bin/python3: No module named venv"],
];

describe("classifyFailure", () => {
  test.each(cases)("%s: %s", (_title, kind, output) => {
    expect(classifyFailure(output).kind).toBe(kind);
  });

  test("shows the line that says it, from where it comes to the point if it is long", () => {
    expect(classifyFailure("Collecting torch\nERROR: [Errno 28] No space left on device").evidence).toBe(
      "ERROR: [Errno 28] No space left on device",
    );
    expect(classifyFailure(`${retrying}\n${noneKnown}`).evidence).toBe(
      "Failed to establish a new connection: [Errno 111] Connection refused')': /simple/torch/",
    );
    expect(classifyFailure(`ERROR: ${"x".repeat(300)}`).evidence).toMatch(/^ERROR: x{112}…$/);
  });

  test("of something unknown it shows the first error, else the last line, else that there was none", () => {
    expect(classifyFailure("a\nERROR: odd\nERROR: more\nhint")).toEqual({ kind: "other", evidence: "ERROR: odd" });
    expect(classifyFailure("a\nb\n\n")).toEqual({ kind: "other", evidence: "b" });
    expect(classifyFailure("")).toEqual({ kind: "other", evidence: "it printed nothing" });
  });
});
