import type { AccountId } from "../base/mod.ts";
import type { Directory } from "../store/mod.ts";

/**
 * Disables an account now and has it removed at `removeAtMs` (milliseconds since 1970), with all its
 * mail. Until then enabling it keeps everything.
 */
export async function disableUntilRemoval(
  directory: Directory,
  id: AccountId,
  removeAtMs: number,
): Promise<void> {
  const day = new Date(removeAtMs).toISOString().slice(0, 10);
  const message = `This account will be removed on ${day}.`;
  await directory.setAccountDisabled(id, message, Math.floor(removeAtMs / 1000));
}
