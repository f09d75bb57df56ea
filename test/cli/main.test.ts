import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import type { FailureKind } from "../../src/errors.js";
import { IbatchError, Interrupted } from "../../src/errors.js";
import { packageVersion } from "../../src/package-root.js";
import { ibatch } from "./run-main.js";

const run = vi.hoisted(() => ({ run: vi.fn() }));
vi.mock("../../src/cli/run.js", () => run);

beforeEach(() => {
  vi.stubEnv("NO_COLOR", "1");
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.resetAllMocks();
});

describe("help goes to standard output, exit code 0", () => {
  const help = async (...argv: string[]) => {
    const { code, stdout, stderr } = await ibatch(...argv, "--help");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return stdout;
  };

  test("ibatch", async () => {
    expect(await help()).toMatchInlineSnapshot(`
      "Usage: ibatch [options] [command]

      Does the order and the composition of mini-batches change how a network trains?

      Options:
        -V, --version                output the version number
        -h, --help                   display help for command

      Commands:
        run [options] <config>       run an experiment: every arm with every seed,
                                     then the table
        merge [options] <dir...>     join run directories of one experiment, as shards
                                     on several machines write them, then the table
        status [options] <dir>       say of each run whether it is done, under way,
                                     can go on, failed; starts and changes nothing
        list [options] [kind]        what a config can name, with options, defaults
                                     and when to choose it
        order [options] <name...>    what an order does, before anything is trained
                                     with it: its batches and their classes
        data [options] <name>        download a dataset from where it is published,
                                     checked; goes on where a download broke off
        report [options] <dir>       make report.html, one page that needs no network,
                                     and the tables of a run directory, finished or
                                     not
        export [options] <dir>       what a run directory holds, finished or not, for
                                     other programs; nothing that runs wrote is
                                     touched
        validate [options] <config>  compare what TypeScript drives with plain
                                     PyTorch: order, losses, weights; exit code 1
                                     where they differ
        bench [options]              how fast training is here, beside a bare PyTorch
                                     loop and a textbook one; needs no data
        trust                        let .ibatch.yaml in this directory, as it is now,
                                     say which code runs
        keys <dir>                   make the keys by which a backend on another
                                     machine and its clients know each other
        doctor [options]             can this machine run it: Node, Python, torch,
                                     device, data, and a training step through the
                                     wire
        help [command]               display help for command

      Exit codes: 0 done; 1 a check said no, or a bug; 2 the command line or the
      config is wrong, or a record is damaged; 3 a run failed; 4 something is missing
      (Python, torch, data, disk, port); 75 interrupted by SIGUSR1, as before a time
      limit: the same command goes on; 129, 130, 143 interrupted.

      Example:
        ibatch run configs/digits.yaml
      "
    `);
  });

  test("ibatch run", async () => {
    expect(await help("run")).toMatchInlineSnapshot(`
      "Usage: ibatch run [options] <config>

      run an experiment: every arm with every seed, then the table

      Arguments:
        config                   YAML file; see configs/

      Options:
        --data <DIR>             directory of the data files, on the backend's side
                                 (default: IBATCH_DATA, else ./data)
        --python <PATH>          Python to run the backend with (default:
                                 IBATCH_PYTHON, else .venv)
        --device <D>             auto, cpu or cuda:N
        --backend <URL,…>        use the backends that run at these control endpoints,
                                 instead of starting one; may be repeated
        --keys <DIR>             directory with client.key_secret and server.key of
                                 \`ibatch keys\`, for --backend (default: IBATCH_KEYS)
        --ray <ADDRESS>          have Ray hold the backends on this cluster: auto,
                                 HOST:PORT of its head, or ray://HOST:PORT
        --allow-import <MODULE>  a module of yours, with its submodules, that
                                 references may name: it runs code; may be repeated
        --python-path <DIR>      look for your modules in this directory, too; may be
                                 repeated
        --jobs <N>               runs to train side by side, each at a backend of its
                                 own; overrides the config's backend.jobs
        --devices <D,…>          devices for them, as cuda:0,cuda:1; overrides the
                                 config's backend.devices
        --set <a.b=c>            set a part of the config, for instance
                                 dataset.subset=1000; may be repeated
        --seeds <N>              a number of seeds, or a list such as 0,1,5; overrides
                                 the config's
        --out <DIR>              run directory (default: runs/<name>-<hash>); what is
                                 complete there is kept
        --shard <i/N>            do the i-th of N shares of the runs, from 0; auto:
                                 that of this task of a Slurm array
        --json                   print the summary as one JSON document instead of the
                                 table
        --quiet                  no progress
        -h, --help               display help for command

      Examples:
        ibatch run configs/digits.yaml
        ibatch run mine.yaml --python-path . --allow-import team.models
        ibatch run configs/mnist.yaml --data data --set dataset.subset=10000 \\
          --set epochs=3 --seeds 2
      "
    `);
  });

  test("ibatch list", async () => {
    expect(await help("list")).toMatchInlineSnapshot(`
      "Usage: ibatch list [options] [kind]

      what a config can name, with options, defaults and when to choose it

      Arguments:
        kind             one of orders, batching, schedules, losses, models, datasets,
                         optimizers (default: all)

      Options:
        --python <PATH>  Python to run the backend with (default: IBATCH_PYTHON, else
                         .venv)
        --backend <URL>  use the backend that runs at this control endpoint, instead
                         of starting one
        --keys <DIR>     directory with client.key_secret and server.key of \`ibatch
                         keys\`, for --backend (default: IBATCH_KEYS)
        --json           one JSON document instead of text
        -h, --help       display help for command

      Examples:
        ibatch list orders
        ibatch list models --json
      "
    `);
  });

  test("ibatch order", async () => {
    expect(await help("order")).toMatchInlineSnapshot(`
      "Usage: ibatch order [options] <name...>

      what an order does, before anything is trained with it: its batches and their
      classes

      Arguments:
        name                  an order of \`ibatch list orders\`, or a file of your own:
                              ./my-order.mjs; with --quality also files of indices,
                              one for each seed

      Options:
        --set <option=value>  an option of the order, for instance leftovers=short;
                              may be repeated
        --samples <N>         number of samples, dealt to the classes at random
                              (default: 11; with --quality 10000, of files the largest
                              index + 1)
        --classes <N>         number of classes (default: 3)
        --size <K>            samples a batch (default: 3; with --quality 64)
        --epochs <N>          epochs to show or to judge, and length of the run for
                              what changes with progress (default: 2; with --quality
                              4)
        --seed <N>            seed (default: 0)
        --batches <N>         batches to show of an epoch (default: 12)
        --losses <FILE>       losses for an order that reads them, or scores for one
                              that reads runs recorded earlier: a float32 value a
                              sample, as a run's signals/loss/0003.f32
        --check               hold the order to the laws of all orders instead, with
                              the options that --set says and all enum and boolean
                              ones: exit code 1 and every fault where it breaks one
        --quality             judge the sequence of indices instead, of an order or of
                              files: can it be told apart from a uniform shuffle? Exit
                              code 1 where it can. A file holds raw little-endian u32
                              (--samples parts epochs), .npy of integers (seeds ×
                              epochs × indices; fewer axes will do), or text (indices
                              parted by white space, epochs by blank lines)
        --seeds <N>           seeds to judge with --quality: of an order from --seed
                              on (default: 2), or in the file (default: 1)
        --labels <FILE>       the class of each sample, in a file as of --quality: an
                              integer a sample, instead of made-up ones
        --seconds <N>         seconds that an order in a file may take for an epoch
                              that is shown, or for its check (default: 60)
        --dataset <NAME>      take the labels of this dataset instead of made-up ones
        --data <DIR>          directory of the data files, on the backend's side
                              (default: IBATCH_DATA, else ./data)
        --python <PATH>       Python to run the backend with (default: IBATCH_PYTHON,
                              else .venv)
        --backend <URL>       use the backend that runs at this control endpoint,
                              instead of starting one
        --keys <DIR>          directory with client.key_secret and server.key of
                              \`ibatch keys\`, for --backend (default: IBATCH_KEYS)
        -h, --help            display help for command

      Examples:
        ibatch order homogeneous
        ibatch order --check ./my-order.mjs --set fraction=0.5
        ibatch order --quality shuffled --samples 60000
        ibatch order --quality ./seed-0.npy ./seed-1.npy --size 128
        ibatch order heterogeneous --dataset digits --size 32 \\
          --set interleave=round-robin
      "
    `);
  });

  test("ibatch data", async () => {
    expect(await help("data")).toMatchInlineSnapshot(`
      "Usage: ibatch data [options] <name>

      download a dataset from where it is published, checked; goes on where a download
      broke off

      Arguments:
        name          mnist (12 MB), fashion-mnist (31 MB), cifar10 (170 MB) or
                      cifar100 (169 MB)

      Options:
        --data <DIR>  directory to put the files below (default: IBATCH_DATA, else
                      ./data)
        --quiet       no progress
        -h, --help    display help for command

      Examples:
        ibatch data fashion-mnist
        ibatch data cifar10 --data ~/datasets
        HTTPS_PROXY=http://proxy:3128 NODE_USE_ENV_PROXY=1 ibatch data mnist
            (Node 22.21, 24.5 and later)
      "
    `);
  });

  test("ibatch status", async () => {
    expect(await help("status")).toMatchInlineSnapshot(`
      "Usage: ibatch status [options] <dir>

      say of each run whether it is done, under way, can go on, failed; starts and
      changes nothing

      Arguments:
        dir         directory of an experiment, as \`ibatch run\` names it

      Options:
        --json      print one JSON document instead
        -h, --help  display help for command

      Examples:
        ibatch status runs/digits-a14ec350
        ibatch status runs/digits-a14ec350 --json
      "
    `);
  });

  test("ibatch report", async () => {
    expect(await help("report")).toMatchInlineSnapshot(`
      "Usage: ibatch report [options] <dir>

      make report.html, one page that needs no network, and the tables of a run
      directory, finished or not

      Arguments:
        dir              directory of an experiment, as \`ibatch run\` names it

      Options:
        --out <FILE>     write the page here instead, also while the experiment runs
                         (default: report.html in DIR)
        --python <PATH>  Python with scipy for the statistics, where they are not on
                         record (default: IBATCH_PYTHON, else .venv)
        -h, --help       display help for command

      Examples:
        ibatch report runs/digits-a14ec350
        ibatch report runs/digits-a14ec350 --out now.html
      "
    `);
  });

  test("ibatch doctor", async () => {
    expect(await help("doctor")).toMatchInlineSnapshot(`
      "Usage: ibatch doctor [options]

      can this machine run it: Node, Python, torch, device, data, and a training step
      through the wire

      Options:
        --data <DIR>     directory of the data files, on the backend's side (default:
                         IBATCH_DATA, else ./data)
        --python <PATH>  Python to run the backend with (default: IBATCH_PYTHON, else
                         .venv)
        --device <D>     auto, cpu or cuda:N
        --backend <URL>  use the backend that runs at this control endpoint, instead
                         of starting one
        --keys <DIR>     directory with client.key_secret and server.key of \`ibatch
                         keys\`, for --backend (default: IBATCH_KEYS)
        --json           one JSON document instead of text
        -h, --help       display help for command

      Examples:
        ibatch doctor
        ibatch doctor --data data --python ~/envs/torch/bin/python
      "
    `);
  });

  test("--version is that of package.json", async () => {
    expect(await ibatch("--version")).toEqual({ code: 0, stdout: `${packageVersion()}\n`, stderr: "" });
  });
});

describe("a command line that is wrong: exit code 2, on standard error", () => {
  test.each([
    [["rnu"], "ibatch: unknown command 'rnu'; did you mean run?"],
    [["run", "x.yaml", "--sed", "3"], "ibatch: unknown option '--sed'; did you mean --set?"],
    [["run"], "ibatch: missing required argument 'config'; `ibatch run --help` shows what there is"],
    [
      ["run", "x.yaml", "--seeds"],
      "ibatch: option '--seeds <N>' argument missing; `ibatch run --help` shows what there is",
    ],
    [
      ["run", "x.yaml", "y.yaml"],
      "ibatch: too many arguments for 'run'. Expected 1 argument but got 2; `ibatch run --help` shows what there is",
    ],
    [["order"], "ibatch: missing required argument 'name'; `ibatch order --help` shows what there is"],
    [["merge", "a", "b"], "ibatch: --out is missing: name the run directory that gets all of them"],
  ])("ibatch %j", async (argv, expected) => {
    const { code, stdout, stderr } = await ibatch(...argv);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toBe(`${expected}\n`);
  });

  test("no command at all: the help", async () => {
    const { code, stdout, stderr } = await ibatch();
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^Usage: ibatch/);
  });

  test.each([
    [["--size", "0"], '--size: expected at least 1, not "0"'],
    [["--size", "x"], '--size: expected a number, not "x"'],
    [["--size", "2.5"], '--size: expected an integer, not "2.5"'],
    [["--seed", ""], '--seed: expected a number, not ""'],
    [["--seed", "-1"], '--seed: expected at least 0, not "-1"'],
    [["--seed", "4294967296"], '--seed: expected at most 4294967295, not "4294967296"'],
    [["--samples", "1e12"], '--samples: expected at most 10000000, not "1e12"'],
  ])("ibatch order shuffled %j", async (options, expected) => {
    expect(await ibatch("order", "shuffled", ...options)).toEqual({
      code: 2,
      stdout: "",
      stderr: `ibatch: ${expected}\n`,
    });
  });
});

describe("run gets the config and its options", () => {
  const received = async (...argv: string[]) => {
    run.run.mockResolvedValueOnce(0);
    expect(await ibatch("run", ...argv)).toEqual({ code: 0, stdout: "", stderr: "" });
    return run.run.mock.lastCall?.slice(0, 2);
  };

  test("defaults", async () => {
    expect(await received("x.yaml")).toEqual(["x.yaml", { ...NOTHING_NAMED, set: [], json: false, quiet: false }]);
  });

  const NOTHING_NAMED = { allowImport: [], pythonPath: [] };

  test("every option; --set may be repeated", async () => {
    const argv = ["--data", "d", "--python", "p", "--device", "cpu", "--backend", "tcp://127.0.0.1:1", "--out", "o"];
    const own = ["--allow-import", "team", "--allow-import", "torch.nn", "--python-path", "src"];
    const set = ["--set", "a=1", "--set", "b.c=[2, 3]", "--seeds", "0,1,5", "--json", "--quiet"];
    expect(await received("x.yaml", ...argv, ...own, ...set)).toEqual([
      "x.yaml",
      {
        data: "d",
        python: "p",
        device: "cpu",
        backend: ["tcp://127.0.0.1:1"],
        out: "o",
        allowImport: ["team", "torch.nn"],
        pythonPath: ["src"],
        set: ["a=1", "b.c=[2, 3]"],
        seeds: "0,1,5",
        json: true,
        quiet: true,
      },
    ]);
  });
});

describe("the exit code", () => {
  test("is the command's own when it ends", async () => {
    run.run.mockResolvedValueOnce(3);
    expect(await ibatch("run", "x.yaml")).toEqual({ code: 3, stdout: "", stderr: "" });
  });

  test.each<[FailureKind, number]>([
    ["usage", 2],
    ["run", 3],
    ["surroundings", 4],
    ["bug", 1],
  ])("of an error of kind %s is %d, and its message is one line", async (kind, code) => {
    run.run.mockRejectedValueOnce(new IbatchError(kind, "what was seen"));
    expect(await ibatch("run", "x.yaml")).toEqual({ code, stdout: "", stderr: "ibatch: what was seen\n" });
  });

  const failWith = (code: string, path: string) => {
    throw Object.assign(new Error(code), { code, path, syscall: "open" });
  };

  test("of anything else is 1, with the stack for the report", async () => {
    run.run.mockRejectedValueOnce(new TypeError("oh no"));
    const { code, stderr } = await ibatch("run", "x.yaml");
    expect(code).toBe(1);
    expect(stderr).toMatch(/^ibatch: this is a bug, please report it: TypeError: oh no\n {4}at /);
  });

  test.each([
    ["there is a file in the way", "/dev/null/ibatch-XXXXXX", () => mkdtempSync("/dev/null/ibatch-")],
    ["there is a file in the way", "/dev/null", () => mkdirSync("/dev/null")],
    ["there is a directory in the way", "/dev", () => writeFileSync("/dev", "")],
    ["the disk fails (EIO)", "/a", () => failWith("EIO", "/a")],
  ])("of a disk that refuses is 4: %s", async (what, path, write) => {
    run.run.mockImplementationOnce(async () => write());
    expect(await ibatch("run", "x.yaml")).toEqual({
      code: 4,
      stdout: "",
      stderr: `ibatch: ${what}: ${path} cannot be used; mend that and give the same command again\n`,
    });
  });

  test.each(["EMFILE", "ENFILE"])(
    "of too many open files (%s) is 4, whatever file is the one too many",
    async (code) => {
      run.run.mockImplementationOnce(async () => failWith(code, "/a"));
      expect(await ibatch("run", "x.yaml")).toEqual({
        code: 4,
        stdout: "",
        stderr: "ibatch: too many files are open: raise `ulimit -n`, to 256 at least\n",
      });
    },
  );

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
    ["SIGUSR1", 75],
  ] as const)("after %s is %d: the command is told to stop, and ends in its own time", async (name, code) => {
    run.run.mockImplementationOnce(async (_config: string, _options: unknown, signal: AbortSignal) => {
      expect(signal.aborted).toBe(false);
      process.emit(name);
      expect(signal.aborted).toBe(true);
      throw new Interrupted();
    });
    const listening = process.listenerCount(name);
    expect(await ibatch("run", "x.yaml")).toEqual({ code, stdout: "", stderr: "ibatch: interrupted\n" });
    expect(process.listenerCount(name), "and nobody listens any more").toBe(listening);
  });

  test.each(["stdout", "stderr"] as const)("is not changed by a reader of %s who goes early", async (stream) => {
    run.run.mockImplementationOnce(async () => {
      process[stream].emit("error", Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
      return 3;
    });
    expect(await ibatch("run", "x.yaml")).toEqual({ code: 3, stdout: "", stderr: "" });
  });
});

test("ibatch list and ibatch order need no file of the machine: they run in an empty directory", async () => {
  const empty = mkdtempSync(join(tmpdir(), "ibatch-empty-"));
  onTestFinished(() => rmSync(empty, { recursive: true }));
  writeFileSync(join(empty, ".keep"), "");
  vi.spyOn(process, "cwd").mockReturnValue(empty);
  expect((await ibatch("list", "orders")).code).toBe(0);
  expect((await ibatch("order", "shuffled")).code).toBe(0);
});
