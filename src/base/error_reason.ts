/** Why something failed, in the error's words; for `fetch`, whose own are "fetch failed", its cause's. */
export function errorReason(error: unknown): string {
  const { message, cause } = error instanceof Error ? error : new Error(String(error));
  return error instanceof TypeError && cause instanceof Error ? cause.message : message;
}
