/**
 * acme: certificates fetched from an authority and renewed (RFC 8555). Laws: a failure is a log line
 * and a count, and leaves what is served as it was; every wait has an end, and failures make the next
 * one longer, over restarts too; what is written to disk is readable by its owner only, and a key
 * that was used is on the disk before; only names that the configuration has are asked for, and each
 * has a certificate of its own, so that one that cannot be validated holds up no other.
 */
export { Challenges, type ChallengeWay } from "./challenges.ts";
export { Renewer, type RenewerOptions } from "./renewer.ts";
