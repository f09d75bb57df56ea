import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { fetchFile } from "../../src/download/fetch-file.js";
import type { PublishedFile } from "../../src/download/sources.js";
import { Interrupted } from "../../src/errors.js";
import {
  always,
  brokenOffAt,
  bytes,
  clientHas,
  md5,
  published,
  refusal,
  serve,
  temporaryDirectory,
  unwatched,
  whole,
} from "./server.js";

const content = bytes(100_000);

/** Where a test's file goes; `half` looks at what must never be: anything but the whole file under the final name. */
function place() {
  const path = join(temporaryDirectory(), "set.gz");
  const partial = `${path}.partial`;
  return {
    path,
    partial,
    keptBytes: () => (existsSync(partial) ? readFileSync(partial).length : 0),
    expectWhole: () => {
      expect(readFileSync(path).equals(content)).toBe(true);
      expect(existsSync(partial)).toBe(false);
    },
  };
}

/** Fetches, and looks at the final name whenever bytes come or an address fails. */
async function fetchWatched(file: PublishedFile, path: string, values: Parameters<typeof unwatched>[0] = {}) {
  let looks = 0;
  const failures: string[] = [];
  const look = () => {
    looks += 1;
    expect(existsSync(path)).toBe(false);
  };
  const work = fetchFile(file, path, {
    ...unwatched(values),
    received: (...event) => {
      look();
      clientHas(event[1]);
      values.received?.(...event);
    },
    failed: (_, reason) => {
      look();
      failures.push(reason.replace(/127\.0\.0\.1:\d+/, "HOST"));
    },
  });
  await work;
  return { looks, failures };
}

beforeEach(() => {
  for (const name of ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"]) vi.stubEnv(name, undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe("a file comes whole", () => {
  test("from a server as it should be: the right bytes under the final name, nothing beside it", async () => {
    const { path, expectWhole } = place();
    const { url, asked } = await serve(whole(content));
    const { looks } = await fetchWatched(published(content, [`${url}set.gz`]), path);
    expectWhole();
    expect(asked).toEqual(["/set.gz"]);
    expect(looks).toBeGreaterThan(0);
  });

  test("from a slow server that sends the next part only when the last one is on the disk", async () => {
    const { path, partial, expectWhole } = place();
    let sendNext = () => {};
    const { url } = await serve((_, response) => {
      response.setHeader("content-length", content.length);
      let at = 0;
      sendNext = () => {
        const part = content.subarray(at, (at += 25_000));
        if (at >= content.length) response.end(part);
        else response.write(part);
      };
      sendNext();
    });
    let onDisk = 0;
    await fetchWatched(published(content, [url]), path, {
      received: (_, end) => {
        onDisk = end;
        expect(readFileSync(partial).length).toBe(end);
        if (end % 25_000 === 0 && end < content.length) sendNext();
      },
    });
    expect(onDisk).toBe(content.length);
    expectWhole();
  });

  test("from a server that gives no length", async () => {
    const { path, expectWhole } = place();
    const { url } = await serve((_, response) => {
      response.write(content.subarray(0, 1000));
      response.end(content.subarray(1000));
    });
    await fetchWatched(published(content, [url]), path);
    expectWhole();
  });

  test("from a server that sends more than it announces: what it announces is the file", async () => {
    const { path, expectWhole } = place();
    const { url } = await serve((_, response) => {
      response.writeHead(200, { "content-length": content.length });
      response.end(Buffer.concat([content, content]));
    });
    await fetchWatched(published(content, [url]), path);
    expectWhole();
  });

  test("behind redirects, also to another path of the same server", async () => {
    const { path, expectWhole } = place();
    const { url, asked } = await serve(
      always(302, "", { location: "/moved" }),
      (request, response) => always(301, "", { location: `http://${request.headers.host}/there` })(request, response),
      whole(content),
    );
    await fetchWatched(published(content, [url]), path);
    expect(asked).toEqual(["/", "/moved", "/there"]);
    expectWhole();
  });

  test("as the bytes on the wire, where a server calls the .gz file gzip-encoded", async () => {
    const { path, expectWhole } = place();
    const { url } = await serve(always(200, content, { "content-encoding": "x-gzip" }));
    await fetchWatched(published(content, [url]), path);
    expectWhole();
  });

  test("from the next address, where the first has nothing", async () => {
    const { path, expectWhole } = place();
    const none = await serve(always(404, "no"));
    const { url } = await serve(whole(content));
    const { failures } = await fetchWatched(published(content, [none.url, url]), path);
    expect(failures).toEqual(["HOST: it answers 404, expected 200; trying the next address"]);
    expectWhole();
  });
});

describe("a download that broke off", () => {
  test("goes on at once where it stopped: asked for are the bytes that lack", async () => {
    const { path, expectWhole } = place();
    const { url, asked } = await serve(brokenOffAt(40_000, content), brokenOffAt(70_001, content), whole(content));
    const { failures } = await fetchWatched(published(content, [`${url}a`]), path);
    expect(asked).toEqual(["/a", "/a bytes=40000-", "/a bytes=70001-"]);
    expect(failures).toEqual(Array(2).fill("HOST: the connection broke off; trying it again"));
    expectWhole();
  });

  test("is kept, and the same command goes on, when the server stays away", async () => {
    const { path, keptBytes, expectWhole } = place();
    const { url, asked } = await serve(brokenOffAt(40_000, content), brokenOffAt(40_000, content), whole(content));
    const file = published(content, [url]);
    const said = await refusal(fetchWatched(file, path));
    expect(said).toMatch(
      /^set\.gz cannot be fetched: 127\.0\.0\.1:\d+: the connection broke off\. Mend that and give the same command again \(40\.0 kB of 100\.0 kB are kept\), or fetch http:\S+ by other means to \S+\/set\.gz: it is checked and used$/,
    );
    expect(existsSync(path)).toBe(false);
    expect(keptBytes()).toBe(40_000);

    await fetchWatched(file, path);
    expect(asked.at(-1)).toBe("/ bytes=40000-");
    expectWhole();
  });

  test("goes on from another address", async () => {
    const { path, expectWhole } = place();
    const first = await serve(brokenOffAt(40_000, content), always(503));
    const second = await serve(whole(content));
    await fetchWatched(published(content, [first.url, second.url]), path);
    expect(second.asked).toEqual(["/ bytes=40000-"]);
    expectWhole();
  });

  test("starts afresh where the server ignores the range", async () => {
    const { path, partial, expectWhole } = place();
    writeFileSync(partial, content.subarray(0, 60_000));
    const { url, asked } = await serve((_, response) => response.end(content));
    await fetchWatched(published(content, [url]), path);
    expect(asked).toEqual(["/ bytes=60000-"]);
    expectWhole();
  });

  test.each([
    ["another part than asked for", always(206, content.subarray(10), { "content-range": "bytes 10-99999/100000" })],
    [
      "the part of a longer file",
      always(206, content.subarray(60_000), { "content-range": "bytes 60000-99999/200000" }),
    ],
    ["a part without saying which", always(206, content.subarray(60_000))],
    ["that there is no such part", always(416)],
  ])("starts afresh where the server sends %s", async (_, answer) => {
    const { path, partial, expectWhole } = place();
    writeFileSync(partial, content.subarray(0, 60_000));
    const { url, asked } = await serve(answer, whole(content));
    await fetchWatched(published(content, [url]), path);
    expect(asked).toEqual(["/ bytes=60000-", "/"]);
    expectWhole();
  });

  test("starts afresh once, where what was kept turns out to be of another file", async () => {
    const { path, partial, expectWhole } = place();
    writeFileSync(partial, Buffer.alloc(60_000, 1));
    const { url, asked } = await serve(whole(content));
    const { failures } = await fetchWatched(published(content, [url]), path);
    expect(asked).toEqual(["/ bytes=60000-", "/"]);
    expect(failures[0]).toMatch(
      /^HOST: what it sent has the MD5 [0-9a-f]{32}, expected [0-9a-f]{32}, and was removed; trying it again$/,
    );
    expectWhole();
  });

  test("is thrown away where more is kept than the file has", async () => {
    const { path, partial, expectWhole } = place();
    writeFileSync(partial, Buffer.alloc(100_001));
    const { url, asked } = await serve(whole(content));
    await fetchWatched(published(content, [url]), path);
    expect(asked).toEqual(["/"]);
    expectWhole();
  });

  test("needs no server where all of it had come", async () => {
    const { path, partial, expectWhole } = place();
    writeFileSync(partial, content);
    const { url, asked } = await serve(always(500));
    await fetchWatched(published(content, [url]), path);
    expect(asked).toEqual([]);
    expectWhole();
  });

  test("may be another process's: the one that comes second says so, or finds the file whole", async () => {
    const { path, partial } = place();
    writeFileSync(partial, content.subarray(0, 60_000));
    const { url } = await serve(whole(content));
    const file = published(content, [url]);
    const both = await Promise.allSettled([
      fetchFile(file, path, unwatched()),
      fetchFile(file, path, unwatched({ received: () => {} })),
    ]);
    expect(readFileSync(path).equals(content)).toBe(true);
    for (const end of both) {
      if (end.status === "rejected") expect(end.reason.message).toContain("does another process work on it?");
    }
  });

  test("is not asked for without end: five connections to an address that brings a little each time", async () => {
    const { path } = place();
    let end = 0;
    const { url, asked } = await serve((request, response) => brokenOffAt((end += 10), content)(request, response));
    await refusal(fetchWatched(published(content, [url]), path));
    expect(asked).toHaveLength(5);
  });
});

describe("what is not the file is refused: nothing under the final name, and a sentence", () => {
  const other = Buffer.from(content).fill(0, 500, 600);
  test.each([
    ["404", always(404, "no"), /: it answers 404, expected 200\./],
    ["500", always(500, "no"), /: it answers 500, expected 200\./],
    ["204 without a body", always(204), /: it answers 204, expected 200\./],
    ["206 unasked", always(206, content), /: it answers 206, expected 200\./],
    [
      "a web page",
      always(200, "<html>", { "content-type": "text/html; charset=utf-8" }),
      /: it sends a web page instead of the file \(a network that wants a login\?\)\./,
    ],
    [
      "a shorter file",
      always(200, content.subarray(1), { "content-length": "99999" }),
      /: it announces 99999 bytes, expected 100000\./,
    ],
    [
      "a longer file",
      always(200, `${content}x`, { "content-length": "100001" }),
      /: it announces 100001 bytes, expected 100000\./,
    ],
    [
      "more than the file, of a length it does not say",
      ((_, response) => {
        response.write(content);
        response.end("x");
      }) satisfies Parameters<typeof serve>[0],
      /: it sends more than the 100000 bytes that the file has\./,
    ],
    [
      "wrong bytes",
      always(200, other),
      new RegExp(`: what it sent has the MD5 ${md5(other)}, expected ${md5(content)}, and was removed\\.`),
    ],
    ["redirects without end", always(302, "", { location: "/" }), /: redirects more than 5 times\./],
    [
      "a redirect to no web address",
      always(302, "", { location: "file:///etc/passwd" }),
      /: redirects to "file:.*", which is no web address\./,
    ],
  ])("%s", async (_, answer, expected) => {
    const { path, keptBytes } = place();
    const { url } = await serve(answer);
    expect(await refusal(fetchWatched(published(content, [url]), path))).toMatch(expected);
    expect(existsSync(path)).toBe(false);
    expect(keptBytes()).toBe(0);
  });

  test("fewer bytes than announced: the rest is asked for, and the lie does not get through", async () => {
    const { path, keptBytes } = place();
    const { url, asked } = await serve(brokenOffAt(99_999, content), always(200, "", { "content-length": "0" }));
    expect(await refusal(fetchWatched(published(content, [url]), path))).toMatch(
      /it announces 0 bytes, expected 100000\./,
    );
    expect(asked).toEqual(["/", "/ bytes=99999-"]);
    expect(existsSync(path)).toBe(false);
    expect(keptBytes()).toBe(99_999);
  });

  test("an end that looks regular, but comes too early", async () => {
    const { path, keptBytes } = place();
    const { url } = await serve((_, response) => response.writeHead(200).end(content.subarray(0, 5000)));
    expect(await refusal(fetchWatched(published(content, [url]), path))).toContain(
      "it ended after 5000 of 100000 bytes",
    );
    expect(existsSync(path)).toBe(false);
    expect(keptBytes()).toBe(5000);
  });

  test("every address's reason is told", async () => {
    const { path } = place();
    const [one, two] = [await serve(always(404)), await serve(always(500))];
    const said = await refusal(fetchWatched(published(content, [one.url, two.url]), path));
    expect(said).toMatch(/: it answers 404, expected 200; 127\.0\.0\.1:\d+: it answers 500, expected 200\./);
  });
});

describe("the network and the disk", () => {
  test("a server that says nothing is given up", async () => {
    const { path } = place();
    const { url } = await serve(() => {});
    const said = await refusal(fetchWatched(published(content, [url]), path, { idleMs: 50 }));
    expect(said).toContain("sent nothing for 0.05 s");
  });

  test("a server that falls silent in the middle is given up, and what came is kept", async () => {
    const { path, keptBytes } = place();
    const { url } = await serve((_, response) => {
      response.writeHead(200, { "content-length": content.length });
      response.write(content.subarray(0, 1000));
    });
    const said = await refusal(fetchWatched(published(content, [url]), path, { idleMs: 50 }));
    expect(said).toContain("sent nothing for 0.05 s");
    expect(keptBytes()).toBe(1000);
  });

  test("a port where nobody listens, a name that nobody knows", async () => {
    const { path } = place();
    const closed = createServer().listen(0, "127.0.0.1");
    await once(closed, "listening");
    const address = closed.address();
    closed.close();
    await once(closed, "close");
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const said = await refusal(
      fetchWatched(published(content, [`http://127.0.0.1:${port}/`, "http://nobody.invalid/"]), path),
    );
    expect(said).toMatch(
      /127\.0\.0\.1:\d+: it refuses the connection; nobody\.invalid: its name cannot be resolved \(no network/,
    );
  });

  test("a proxy that Node was not told to use is named", async () => {
    const { path } = place();
    vi.stubEnv("HTTPS_PROXY", "http://proxy:3128");
    const { url } = await serve(always(404));
    const file = published(content, [url]);
    expect(await refusal(fetchWatched(file, path))).toContain(
      ". HTTPS_PROXY is set, but Node heeds it only with NODE_USE_ENV_PROXY=1 (Node 22.21, 24.5 and later). Mend",
    );
    vi.stubEnv("NODE_USE_ENV_PROXY", "1");
    expect(await refusal(fetchWatched(file, path))).not.toContain("PROXY");
  });

  test("a full disk: one sentence, what came is kept, no other address is asked", async () => {
    const { path, keptBytes, expectWhole } = place();
    const [{ url }, other] = [await serve(whole(content)), await serve(whole(content))];
    const probe = await open(path.replace("set.gz", "probe"), "w");
    const handles = Object.getPrototypeOf(probe);
    await probe.close();
    const full = Object.assign(new Error("ENOSPC: no space left on device, write"), {
      code: "ENOSPC",
      syscall: "write",
    });
    const spy = vi.spyOn(handles, "write").mockRejectedValue(full);
    const file = published(content, [url, other.url]);
    const said = await refusal(fetchFile(file, path, unwatched()));
    expect(said).toBe(
      `the disk is full: ${path}.partial cannot be used; mend that and give the same command again, or name another --data`,
    );
    expect(other.asked).toEqual([]);
    expect({ final: existsSync(path), kept: keptBytes() }).toEqual({ final: false, kept: 0 });
    spy.mockRestore();
    await fetchFile(file, path, unwatched());
    expectWhole();
  });

  test("a directory in the way of the partial file", async () => {
    const { path, partial } = place();
    mkdirSync(partial);
    const { url } = await serve(whole(content));
    const file = { ...published(content, [url]), bytes: 1_000_000 };
    expect(await refusal(fetchFile(file, path, unwatched()))).toContain(`${partial}`);
  });
});

describe("Ctrl-C", () => {
  test("in the middle: Interrupted, what came is kept, and the next command asks for the rest", async () => {
    const { path, keptBytes, expectWhole } = place();
    const { url, asked } = await serve((_, response) => {
      response.writeHead(200, { "content-length": content.length });
      response.write(content.subarray(0, 30_000));
    }, whole(content));
    const stopping = new AbortController();
    const file = published(content, [url, url]);
    const received = (_: PublishedFile, end: number) => {
      if (end === 30_000) stopping.abort();
    };
    const work = fetchWatched(file, path, { signal: stopping.signal, received });
    await expect(work).rejects.toBeInstanceOf(Interrupted);
    expect({ final: existsSync(path), kept: keptBytes(), asked }).toEqual({ final: false, kept: 30_000, asked: ["/"] });

    await fetchWatched(file, path);
    expect(asked).toEqual(["/", "/ bytes=30000-"]);
    expectWhole();
  });

  test("before the server answers, and before anything is asked", async () => {
    const { path } = place();
    const stopping = new AbortController();
    const { url, asked } = await serve(() => stopping.abort());
    const file = published(content, [url]);
    await expect(fetchFile(file, path, unwatched({ signal: stopping.signal }))).rejects.toBeInstanceOf(Interrupted);
    await expect(fetchFile(file, path, unwatched({ signal: stopping.signal }))).rejects.toBeInstanceOf(Interrupted);
    expect(asked).toHaveLength(1);
    expect(existsSync(path)).toBe(false);
  });
});
