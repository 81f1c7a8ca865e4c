import type { Authorization, Client, Order } from "acme-client";
import { type CertificatePair, ValidationCertificate } from "../net/mod.ts";
import type { Challenges, ChallengeWay } from "./challenges.ts";
import { type Carrier, carry } from "./http.ts";
import { FIRST_POLL_MS, LONGEST_POLL_MS, WAIT_TIMEOUT_MS } from "./limits.ts";

/** The authority refused, or did not come to an end; `message` says why. */
export class OrderError extends Error {
  override readonly name = "OrderError";
}

export interface OrderOptions {
  readonly directory: string;
  readonly email: string;
  readonly accountKey: string;
  readonly name: string;
  readonly way: ChallengeWay;
  readonly challenges: Challenges;
  readonly carrier: Carrier;
}

/** A key for an account or a certificate: P-256, in PEM. */
export async function makeKey(): Promise<string> {
  const { crypto } = await loadLibrary();
  return (await crypto.createPrivateEcdsaKey("P-256")).toString();
}

/** Loaded only where it is needed: it takes 100 ms to start. */
function loadLibrary(): Promise<typeof import("acme-client")> {
  return import("acme-client");
}

/**
 * Fetches a certificate for one name, with a new key: registers the account if it is not, orders,
 * has the name validated, and takes what is issued (RFC 8555 7). Throws OrderError, or the error of
 * the network, also when `carrier.signal` ended it.
 */
export async function orderCertificate(options: OrderOptions): Promise<CertificatePair> {
  const { directory, email, accountKey, name, way, challenges, carrier } = options;
  const acme = await loadLibrary();
  const adapter = async (request: Parameters<typeof carry>[0]) => ({
    ...await carry(request, carrier),
    config: request,
  });
  acme.axios.defaults.adapter = adapter as typeof acme.axios.defaults.adapter & object;
  const client = new acme.Client({ directoryUrl: directory, accountKey });
  const { signal } = carrier;
  // A known key gives the account that it had (RFC 8555 7.3), so its address need not be kept.
  await client.createAccount({ termsOfServiceAgreed: true, contact: [`mailto:${email}`] });
  let order = await client.createOrder({ identifiers: [{ type: "dns", value: name }] });
  for (const authorization of await client.getAuthorizations(order)) {
    if (authorization.status === "valid") continue;
    await validate(client, order, authorization, way, challenges, signal);
  }
  const privateKey = await makeKey();
  const [, request] = await acme.crypto.createCsr({ altNames: [name] }, privateKey);
  order = await waitFor(signal, async () => {
    const present = await client.getOrder(order);
    return present.status === "pending" ? undefined : present;
  });
  if (order.status === "ready") order = await client.finalizeOrder(order, request);
  order = await waitFor(signal, async () => {
    const present = await client.getOrder(order);
    if (present.status === "invalid") throw new OrderError(reasonOf(present.error));
    return present.status === "valid" ? present : undefined;
  });
  return { certificate: await client.getCertificate(order), privateKey };
}

/** Has the authority validate the name of an authorization, and answers it meanwhile. */
async function validate(
  client: Client,
  order: Order,
  authorization: Authorization,
  way: ChallengeWay,
  challenges: Challenges,
  signal: AbortSignal,
): Promise<void> {
  const name = authorization.identifier.value;
  // The library's types do not know tls-alpn-01.
  const challenge = authorization.challenges.find(({ type }) => (type as string) === way);
  if (challenge === undefined) throw new OrderError(`the authority does not validate by ${way}`);
  const keyAuthorization = await client.getChallengeKeyAuthorization(challenge);
  let end: () => void;
  if (way === "http-01") {
    end = challenges.tellKeyAuthorization(challenge.token, keyAuthorization);
  } else {
    const { crypto } = await loadLibrary();
    const [privateKey, certificate] = await crypto.createAlpnCertificate(
      authorization,
      keyAuthorization,
      await makeKey(),
    );
    end = challenges.showCertificate(
      name,
      new ValidationCertificate({
        certificate: certificate.toString(),
        privateKey: privateKey.toString(),
      }),
    );
  }
  try {
    await client.completeChallenge(challenge);
    await waitFor(signal, async () => {
      const all = await client.getAuthorizations(order);
      const present = all.find(({ url }) => url === authorization.url);
      if (present?.status === "valid") return true;
      if (present?.status === "pending") return undefined;
      const failed = present?.challenges.find(({ status }) => status === "invalid");
      throw new OrderError(reasonOf(failed?.error));
    });
  } finally {
    end();
  }
}

/** What a problem document says (RFC 8555 6.7). */
function reasonOf(problem: unknown): string {
  const detail = typeof problem === "object" && problem !== null && "detail" in problem
    ? String(problem.detail)
    : "the authority gave no reason";
  return detail.slice(0, 500);
}

/** Looks until there is a result, less and less often. Throws OrderError when it takes too long. */
export async function waitFor<T>(
  signal: AbortSignal,
  look: () => Promise<T | undefined>,
): Promise<T> {
  const deadline = performance.now() + WAIT_TIMEOUT_MS;
  for (let delayMs = FIRST_POLL_MS;; delayMs = Math.min(delayMs * 2, LONGEST_POLL_MS)) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new OrderError("the authority took too long");
    await sleep(delayMs, signal);
  }
}

/** Waits; rejects with the signal's reason when it comes first. */
export function sleep(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    }, delayMs);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  });
}
