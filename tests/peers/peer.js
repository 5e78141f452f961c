// What all peers have in common: settings come as the first line of standard input, behaviours as
// the lines after it, each acknowledged; what is received goes out as lines of JSON.
import readline from "node:readline";

const behaviours = new Map();

export function tell(event) {
  process.stdout.write(JSON.stringify(event) + "\n");
}

// What to do with a request for this key: each behaviour once, in order, the last one for ever.
export function behaviour(key) {
  const queue = behaviours.get(key) ?? [{}];
  return queue.length > 1 ? queue.shift() : queue[0];
}

export function start(serve) {
  let started = false;
  const lines = readline.createInterface({ input: process.stdin });
  lines.on("line", (line) => {
    const told = JSON.parse(line);
    if (!started) {
      started = true;
      serve(told);
      return;
    }
    behaviours.set(told.key, told.behaviours);
    tell({ acknowledged: told.key });
  });
  // The test run is over, or gone.
  lines.on("close", () => process.exit(0));
}

export function read(stream, whole) {
  const parts = [];
  stream.on("data", (part) => parts.push(part));
  stream.on("end", () => whole(Buffer.concat(parts)));
  stream.on("error", () => {});
}

export function decodeToken(token) {
  const [header, claims] = token.split(".").map((part) => Buffer.from(part, "base64url"));
  return { header: JSON.parse(header), claims: JSON.parse(claims) };
}
