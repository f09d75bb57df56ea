// `ibatch run` on a GPU. What Python alone shows is in this folder's test_*.py, which a packed archive has, too.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { packageRoot } from "../../src/package-root.js";
import { ibatch, Scratch, smallConfig } from "../e2e/ibatch.js";
import { recordedBytes } from "../e2e/recorded-bytes.js";

const DRIVERS = ["/dev/nvidiactl", "/dev/dxg"]; // the second one is that of WSL
const isThere = DRIVERS.some((path) => existsSync(path));
const scratch = new Scratch();
const onGpu = smallConfig.replace("device: cpu", "device: cuda:0, equalBits: true");

afterAll(() => scratch.remove());

describe.skipIf(!isThere)(
  isThere ? "a run on a GPU" : `on a GPU: skipped, for there is no ${DRIVERS.join(" and no ")}`,
  () => {
    const run = (config: string, out: string, ...more: string[]) =>
      ibatch(["run", config, "--out", scratch.path(out), ...more], {}, scratch.directory);

    it("has the bytes of the same run, also in other messages", async () => {
      const config = scratch.write("gpu.yaml", onGpu);
      expect(await run(config, "first")).toMatchObject({ code: 0 });
      expect(await run(config, "second", "--set", "backend.chunkBatches=3")).toMatchObject({ code: 0 });
      expect(recordedBytes(scratch.path("second"))).toEqual(recordedBytes(scratch.path("first")));
    });

    it("that breaks the device goes on at another backend, to the byte", async () => {
      const once = scratch.path("once");
      const model = `model: { reference: "breaking_net:Breaking", args: { once: "${once}" } }`;
      const config = scratch.write("breaking.yaml", onGpu.replace("model: mnist-cnn", model));
      const own = ["--python-path", join(packageRoot, "test/e2e/own_model"), "--allow-import", "breaking_net"];
      const settings = ["--set", "checkpoint.everyBatches=4", "--set", "backend.chunkBatches=2"];
      const broken = await run(config, "broken", ...own, ...settings);
      expect(existsSync(once)).toBe(true);
      expect(broken.stderr).toMatch(
        /the backend ends: the device answers nothing any more, and this backend ends: CUDA error: device-side assert.*; restart 1 of 3$/m,
      );
      expect(broken.code).toBe(0);
      expect(await run(config, "whole", ...own, ...settings)).toMatchObject({ code: 0 }); // the file is there by now
      expect(recordedBytes(scratch.path("broken"))).toEqual(recordedBytes(scratch.path("whole")));
    });
  },
);
