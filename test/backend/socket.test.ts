import { expect, test } from "vitest";
import { WireSocket } from "../../src/backend/socket.js";

const ALONE = { onDisconnect: () => {}, onRefused: () => {} };

test("sockets for hundreds of backends can be open at a time", () => {
  const sockets = Array.from({ length: 1100 }, () => new WireSocket("ipc://nobody-listens-here", undefined, ALONE));
  expect(sockets).toHaveLength(1100);
  for (const socket of sockets) socket.close();
});
