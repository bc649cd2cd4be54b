// Perfetto's trace processor, as ui.perfetto.dev has it, asked about a trace: node perfetto.mjs FOLDER
// with the trace on standard input, and one SQL query as each further argument. FOLDER has the
// engine: engine_bundle.js and trace_processor*.wasm. Prints a JSON list of rows for each query.
//
// The bundle is a web worker's. Here it finds what a worker would: `self`, a way to load files, and a port.

import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { runInThisContext } from "node:vm";

const [folder, ...queries] = process.argv.slice(2);
const trace = readFileSync(0);
const { stdout, stderr, exit } = process;

const fail = (why) => {
  stderr.write(`${why}\n`);
  exit(1);
};

// protos/perfetto/trace_processor/trace_processor.proto: the fields that are needed.
const RPC = { msg: 1, fatal: 5, request: 2, append: 101, query: 103, appended: 201, result: 203 };
const METHOD = { append: 1, finalize: 2, query: 3 };
const RESULT = { columns: 1, error: 2, batch: 3 };
const BATCH = { cells: 1, varints: 2, floats: 3, strings: 5, last: 6 };
const CELL = { null: 1, varint: 2, float64: 3, string: 4 };

const varint = (n) => {
  const bytes = [];
  for (let left = BigInt(n); ; left >>= 7n) {
    const low = Number(left & 127n);
    if (left < 128n) return Buffer.from([...bytes, low]);
    bytes.push(low | 128);
  }
};
const number = (field, n) => Buffer.concat([varint(field << 3), varint(n)]);
const bytes = (field, content) =>
  Buffer.concat([varint((field << 3) | 2), varint(content.length), content]);

function* fields(buffer) {
  let at = 0;
  const next = () => {
    for (let n = 0n, shift = 0n; ; shift += 7n) {
      const byte = buffer[at++];
      n |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asIntN(64, n);
    }
  };
  while (at < buffer.length) {
    const tag = Number(next());
    const field = tag >> 3;
    if ((tag & 7) === 0) yield [field, next()];
    else if ((tag & 7) === 1) yield [field, buffer.readDoubleLE((at += 8) - 8)];
    else if ((tag & 7) === 2) {
      const length = Number(next());
      yield [field, buffer.subarray(at, (at += length))];
    } else fail(`a field of wire type ${tag & 7}`);
  }
}

function* packed(buffer) {
  for (let at = 0, n = 0n, shift = 0n; at < buffer.length; at++) {
    n |= BigInt(buffer[at] & 127) << shift;
    shift += 7n;
    if (buffer[at] < 128) {
      yield BigInt.asIntN(64, n);
      n = shift = 0n;
    }
  }
}

// Answers come as a stream that may be cut anywhere; here each is one message.
const channel = new MessageChannel();
const answers = [];
let wake;
channel.port1.onmessage = ({ data }) => {
  for (const [field, content] of fields(Buffer.from(data))) {
    if (field === RPC.msg) answers.push(content);
  }
  wake?.();
};

let sequence = 0;
const ask = (method, args = Buffer.alloc(0)) => {
  const message = Buffer.concat([number(1, sequence++), number(RPC.request, method), args]);
  channel.port1.postMessage(new Uint8Array(bytes(RPC.msg, message)));
};
const answer = async () => {
  while (answers.length === 0) await new Promise((done) => (wake = done));
  return answers.shift();
};

const cells = (batch, columns, rows) => {
  const parts = { varints: [], floats: [], strings: [], cells: [] };
  for (const [field, content] of fields(batch)) {
    if (field === BATCH.cells) parts.cells = [...content];
    if (field === BATCH.varints) parts.varints = [...packed(content)];
    if (field === BATCH.floats) {
      for (let at = 0; at < content.length; at += 8) parts.floats.push(content.readDoubleLE(at));
    }
    if (field === BATCH.strings) parts.strings = content.toString().split("\0");
  }
  const value = (cell) => {
    if (cell === CELL.varint) return Number(parts.varints.shift());
    if (cell === CELL.float64) return parts.floats.shift();
    return cell === CELL.string ? parts.strings.shift() : null;
  };
  while (parts.cells.length > 0) {
    const row = parts.cells.splice(0, columns.length).map(value);
    rows.push(Object.fromEntries(columns.map((name, i) => [name, row[i]])));
  }
};

const query = async (sql) => {
  ask(METHOD.query, bytes(RPC.query, bytes(1, Buffer.from(sql))));
  const columns = [];
  const rows = [];
  for (;;) {
    let last = false;
    for (const [field, content] of fields(await answer())) {
      if (field === RPC.fatal) fail(content);
      if (field !== RPC.result) continue;
      for (const [part, value] of fields(content)) {
        if (part === RESULT.error && value.length > 0) fail(`${sql}: ${value}`);
        if (part === RESULT.columns) columns.push(value.toString());
        if (part !== RESULT.batch) continue;
        cells(value, columns, rows);
        for (const [name, is] of fields(value)) last ||= name === BATCH.last && is === 1n;
      }
    }
    if (last) return rows;
  }
};

// A worker has no `process`.
delete globalThis.process;
Object.assign(globalThis, {
  self: globalThis,
  WorkerGlobalScope: class {},
  importScripts() {},
  location: { href: "https://127.0.0.1/" },
  XMLHttpRequest: class {
    open(_, url) {
      this.response = readFileSync(join(folder, basename(url)));
    }
    send() {}
  },
});
globalThis.console = { ...console, log() {}, warn() {} };
runInThisContext(readFileSync(join(folder, "engine_bundle.js"), "utf8"));
globalThis.onmessage({ data: channel.port2 });
// The engine listens in the next turn.
await new Promise((done) => setTimeout(done));

ask(METHOD.append, bytes(RPC.append, trace));
for (const [field, content] of fields(await answer())) {
  if (field !== RPC.appended) continue;
  for (const [part, value] of fields(content)) if (part === 2) fail(`the trace: ${value}`);
}
ask(METHOD.finalize);
await answer();
const all = [];
for (const sql of queries) all.push(await query(sql));
stdout.write(`${JSON.stringify(all)}\n`, () => exit(0));
