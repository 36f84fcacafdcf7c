/** Runs what a client can do, one after the other, and prints one JSON object: what it answered, or what failed. */
export const PLAN = JSON.parse(process.argv[2]);
export const lookUp = ({ topic }) => `${topic}: ${PLAN.secret}`;

/** @param behaviours name -> function that resolves with `{ answers, chunks? }`. */
export async function report(behaviours) {
  const results = {};
  for (const [name, behave] of Object.entries(behaviours)) {
    results[name] = await behave().catch((error) => ({
      error: String(error?.stack ?? error).slice(0, 1_500),
    }));
  }
  console.log(JSON.stringify(results));
  process.exit(0);
}
