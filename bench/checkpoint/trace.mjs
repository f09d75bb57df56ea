// What the controller asks of the backend and writes, and when: noted at the built client, so the loop is the real one.
export async function startTrace() {
  const { BackendClient } = await import("../../dist/backend/client.js");
  const { Checkpoints } = await import("../../dist/record/checkpoints.js");
  const trace = {
    events: [],
    clear() {
      this.events = [];
    },
  };
  const work = BackendClient.prototype.work;
  BackendClient.prototype.work = async function (type, fields, arrays) {
    const event = { type, at: performance.now(), part: fields.part, step: fields.step };
    trace.events.push(event);
    const answer = await work.call(this, type, fields, arrays);
    event.answeredAt = performance.now();
    event.bytes = answer.fields.totalBytes;
    return answer;
  };
  const write = Checkpoints.prototype.write;
  Checkpoints.prototype.write = async function (...args) {
    const event = { type: "written", at: performance.now() };
    trace.events.push(event);
    await write.apply(this, args);
    event.answeredAt = performance.now();
  };
  const keepOnly = Checkpoints.prototype.keepOnly;
  Checkpoints.prototype.keepOnly = function (...args) {
    const event = { type: "cleared", at: performance.now() };
    trace.events.push(event);
    keepOnly.apply(this, args);
    event.answeredAt = performance.now();
  };
  return trace;
}
