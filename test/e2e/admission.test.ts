// Who is let in over tcp, with the real Python server and the real socket.
import { chmodSync, copyFileSync, cpSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { type Backend, openBackend } from "../../src/backend/backend.js";
import { Channel } from "../../src/backend/channel.js";
import { type Credentials, makeToken, NO_CREDENTIALS } from "../../src/backend/credentials.js";
import { credentialsFor } from "../../src/launch/credentials.js";
import { userToken } from "../../src/record/user-token.js";
import { ibatch, Scratch, smallConfig } from "./ibatch.js";
import { type Serving, serve } from "./serving.js";

const scratch = new Scratch();
const [KEYS, OTHERS] = [scratch.path("keys"), scratch.path("others")];
const TOKEN = makeToken();
let withKeys: Serving;
let withToken: Serving;

beforeAll(async () => {
  for (const directory of [KEYS, OTHERS]) expect(await ibatch(["keys", directory])).toMatchObject({ code: 0 });
  withKeys = await serve(["--keys", KEYS]);
  withToken = await serve([], { IBATCH_TOKEN: TOKEN });
});

afterEach(() => {
  vi.unstubAllEnvs();
});

afterAll(async () => {
  await withKeys.end();
  await withToken.end();
  scratch.remove();
});

const opened = (url: string, credentials: Credentials): Promise<Backend> =>
  openBackend({
    ...{ url, credentials, device: "auto", threads: "auto", listen: "ipc", startSeconds: 30 },
    ...{ heartbeat: { everySeconds: 1, limitSeconds: 30 }, stallSeconds: null, signal: new AbortController().signal },
  });

const byKeys = (directory: string): Credentials => credentialsFor("tcp://there:1", directory);
const byToken = (token: string): Credentials => ({ kind: "token", token, from: "IBATCH_TOKEN" });

/** Our own key, and for the backend's that of others. */
function withWrongServerKey(): Credentials {
  const mixed = scratch.path("mixed");
  cpSync(KEYS, mixed, { recursive: true });
  copyFileSync(join(OTHERS, "server.key"), join(mixed, "server.key"));
  return byKeys(mixed);
}

describe("`ibatch keys`", () => {
  const FILES = ["client.key", "client.key_secret", "server.key", "server.key_secret"];
  const contents = () => FILES.map((name) => readFileSync(join(KEYS, name), "utf8"));

  test("makes files that their owner alone may read, and never writes over one", async () => {
    const before = contents();
    const { code, stdout } = await ibatch(["keys", KEYS]);
    expect({ code, first: stdout.split("\n")[0] }).toEqual({ code: 0, first: `keys in ${KEYS}: kept as they were` });
    expect(contents()).toEqual(before);
    expect(readdirSync(KEYS).sort()).toEqual([".gitignore", ...FILES]);
    expect(statSync(KEYS).mode & 0o777).toBe(0o700);
    const modes = ["client.key_secret", "server.key_secret"].map((name) => statSync(join(KEYS, name)).mode & 0o777);
    expect(modes).toEqual([0o600, 0o600]);
    expect(stdout).not.toContain(/secret-key = "(.*)"/.exec(before.join())?.[1]);
  });

  test("refuses a directory that others may enter", async () => {
    const open = scratch.path("open");
    expect(await ibatch(["keys", open])).toMatchObject({ code: 0 });
    chmodSync(open, 0o755);
    expect(await ibatch(["keys", open])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`${open}: others may enter it: name a new directory, or chmod 700 ${open}`),
    });
  });
});

describe("a backend with keys", () => {
  test("lets in whose key it has", async () => {
    const backend = await opened(withKeys.control, byKeys(KEYS));
    expect(backend.client.introduction.workEndpoint).toBe(withKeys.work);
    await backend.stop();
  });

  test.each([
    ["an unknown key", () => byKeys(OTHERS), /has another key than server\.key in|does not know the key in/],
    ["another server's key", withWrongServerKey, /has another key than server\.key in .*mixed/],
    ["a token", () => byToken(TOKEN), /does not take the token of IBATCH_TOKEN: it was started with keys/],
    ["nothing", () => NO_CREDENTIALS, /wants keys or a token \(CURVE\)/],
  ])("refuses who has %s, and says so", async (_, credentials, why) => {
    const refused = opened(withKeys.control, credentials());
    await expect(refused).rejects.toMatchObject({ kind: "surroundings", message: expect.stringMatching(why) });
    await expect(refused).rejects.toThrow(withKeys.control);
  });

  test("refuses a client of whom it has no key, and tells its own user", async () => {
    const stranger = scratch.path("stranger");
    cpSync(OTHERS, stranger, { recursive: true });
    copyFileSync(join(KEYS, "server.key"), join(stranger, "server.key"));
    await expect(opened(withKeys.control, byKeys(stranger))).rejects.toThrow(
      `does not know the key in ${stranger}: put client.key from there beside its server.key_secret`,
    );
    await expect.poll(withKeys.said).toContain("refused a client at 127.0.0.1: its key is none of the *.key in");
  });

  test("is not greeted at its work port, and the right one is said", async () => {
    const greeted = opened(withKeys.work, byKeys(KEYS));
    const control = withKeys.work.replace(/\d+$/, (port) => String(Number(port) - 1));
    await expect(greeted).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining(
        `${withKeys.work}: that is its work port: name its control port, whose number is one less: ${control} (`,
      ),
    });
  });

  test("refuses at the work socket, too", async () => {
    const channel = new Channel(withKeys.work, withWrongServerKey());
    await expect(channel.request("close", { session: "s" }, {})).rejects.toThrow("has another key than server.key");
    channel.close();
  });
});

describe("a backend with a token", () => {
  test("lets in who has it, of which nothing has to be said for one user", async () => {
    const home = scratch.path("home");
    vi.stubEnv("XDG_CONFIG_HOME", home);
    vi.stubEnv("IBATCH_TOKEN", "");
    const mine = await serve([]);
    const backend = await opened(mine.control, credentialsFor(mine.control));
    await backend.stop();
    await mine.end();
    expect(userToken().from).toBe(join(home, "ibatch/token"));
    expect(statSync(join(home, "ibatch/token")).mode & 0o777).toBe(0o600);
    chmodSync(join(home, "ibatch/token"), 0o644);
    expect(() => userToken()).toThrow(`others may read it: chmod 600 ${join(home, "ibatch/token")}`);
    await expect(serve([])).rejects.toThrow("others may read it: chmod 600");
  });

  test.each([
    ["another token", () => byToken(makeToken()), /does not take the token of IBATCH_TOKEN/],
    ["keys", () => byKeys(KEYS), /has another key than server\.key in .*, or was started without --keys/],
    ["nothing", () => NO_CREDENTIALS, /wants keys or a token/],
  ])("refuses who has %s", async (_, credentials, why) => {
    await expect(opened(withToken.control, credentials())).rejects.toThrow(why);
  });
});

test("keys that others may read are refused on both sides", async () => {
  const loose = scratch.path("loose");
  cpSync(KEYS, loose, { recursive: true });
  for (const name of ["client.key_secret", "server.key_secret"]) chmodSync(join(loose, name), 0o640);
  expect(() => byKeys(loose)).toThrow(`client.key_secret: others may read it: chmod 600 ${loose}`);
  await expect(serve(["--keys", loose])).rejects.toThrow("server.key_secret: others may read it: chmod 600");
});

test("beyond loopback keys are needed on both sides", async () => {
  expect(() => credentialsFor("tcp://10.0.0.1:5555")).toThrow("keys are needed: `ibatch keys DIR` makes them");
  await expect(serve(["--listen", "tcp://0.0.0.0:0"])).rejects.toThrow("keys are needed: `ibatch keys DIR` makes them");
});

describe("an experiment over CURVE", () => {
  const config = scratch.write("small.yaml", smallConfig);
  const recorded = (directory: string): Record<string, string> =>
    Object.fromEntries(
      readdirSync(directory, { recursive: true, encoding: "utf8" })
        .filter((file) => /\.(u32|f32)$|metrics\.jsonl$|orders\/.*json$/.test(file))
        .map((file) => [file, readFileSync(join(directory, file), "hex")]),
    );
  const texts = (directory: string): string =>
    readdirSync(directory, { recursive: true, encoding: "utf8" })
      .filter((file) => /\.(txt|json|jsonl|md|html)$/.test(file))
      .map((file) => readFileSync(join(directory, file), "latin1"))
      .join("\n");
  const secrets = () =>
    ["client", "server"].map((role) =>
      String(/secret-key = "(.*)"/.exec(readFileSync(join(KEYS, `${role}.key_secret`), "utf8"))?.[1]),
    );
  const overIpc = scratch.path("ipc");

  beforeAll(async () => {
    expect(await ibatch(["run", config, "--out", overIpc])).toMatchObject({ code: 0 });
  });

  test("has the records that it has over ipc, by one backend that listens everywhere", async () => {
    const everywhere = await serve(["--listen", "tcp://0.0.0.0:0", "--keys", KEYS]);
    const url = everywhere.control.replace("0.0.0.0", "127.0.0.1");
    const out = scratch.path("one");
    const ended = await ibatch(["run", config, "--out", out, "--backend", url, "--keys", KEYS]);
    await everywhere.end();
    expect(ended).toMatchObject({ code: 0 });
    expect(Object.keys(recorded(out)).length).toBeGreaterThan(10);
    expect(recorded(out)).toEqual(recorded(overIpc));
    for (const secret of secrets()) expect(texts(out)).not.toContain(secret);
  });

  test("has them by two backends, too", async () => {
    const other = await serve(["--keys", KEYS]);
    const out = scratch.path("two");
    const urls = `${withKeys.control},${other.control}`;
    const ended = await ibatch(["run", config, "--out", out, "--backend", urls], { IBATCH_KEYS: KEYS });
    await other.end();
    expect(ended).toMatchObject({ code: 0 });
    expect(recorded(out)).toEqual(recorded(overIpc));
  });
});
