import { KillRounds } from "./rounds.ts";

Deno.test("after kill -9 under load all that the server acknowledged is there, and nothing is half there", async () => {
  const rounds = await KillRounds.open(Date.now() % 1e6);
  try {
    for (let round = 0; round < 3; round++) await rounds.round();
  } finally {
    await rounds.close();
  }
});
