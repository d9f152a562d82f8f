// DELETE with the built-in fetch, 64 at a time, as a user writes it.
//   node fetch.mjs URL IDS
import { readFileSync } from "node:fs";

const [base, file] = process.argv.slice(2);
const ids = readFileSync(file, "utf8").split("\n").filter(Boolean);
const key = "0123456789abcdef".repeat(2);
let next = 0, done = 0, bad = 0;

async function worker() {
  while (next < ids.length) {
    const id = ids[next++];
    const answer = await fetch(`${base}/v1/models/requests/${id}/payloads`, {
      method: "DELETE",
      headers: { Authorization: `Key ${key}:${key}`, "Idempotency-Key": id },
    });
    await answer.text();
    done++;
    if (answer.status !== 200) bad++;
  }
}

await Promise.all(Array.from({ length: 64 }, worker));
console.log(JSON.stringify({ done, bad }));
