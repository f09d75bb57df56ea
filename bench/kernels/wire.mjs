// Answers losses with their order, over a ZeroMQ socket of this process.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Reply } from "zeromq";
import { argsort } from "../../dist/kernels/argsort.js";

export async function serveOrders() {
  const folder = mkdtempSync(join(tmpdir(), "ibatch-bench-"));
  const endpoint = `ipc://${join(folder, "socket")}`;
  const socket = new Reply({ linger: 0 });
  await socket.bind(endpoint);
  const served = serve(socket);
  return {
    endpoint,
    async close() {
      socket.close();
      await served;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function serve(socket) {
  let order = new Uint32Array(0);
  for await (const [frame] of socket) {
    const n = frame.byteLength / 4;
    // The last answer was received before this question came, so its memory is free again.
    if (order.length !== n) order = new Uint32Array(n);
    argsort(floatsOf(frame, n), "ascending", order);
    await socket.send(Buffer.from(order.buffer));
  }
}

/** A view where the frame lies at a multiple of four, which zeromq does not promise; else a copy. */
function floatsOf(frame, n) {
  if (frame.byteOffset % 4 === 0) return new Float32Array(frame.buffer, frame.byteOffset, n);
  return new Float32Array(Uint8Array.from(frame).buffer);
}
