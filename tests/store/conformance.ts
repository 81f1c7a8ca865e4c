import type { Store } from "../../src/store/mod.ts";
import { annotationTests } from "./conformance_annotations.ts";
import { changeTests } from "./conformance_changes.ts";
import { credentialTests } from "./conformance_credentials.ts";
import { directoryTests } from "./conformance_directory.ts";
import { expiryTests } from "./conformance_expiry.ts";
import { mailboxTests } from "./conformance_mailboxes.ts";
import { messageTests } from "./conformance_messages.ts";
import { searchTests } from "./conformance_search.ts";
import { withFixture } from "./fixture.ts";
import type { Fixture } from "./fixture.ts";

/** An engine under test, with an empty directory. */
export interface OpenedStore {
  readonly store: Store;
  /** Closes the store and opens its files again; absent when the engine keeps nothing. */
  readonly reopen?: () => Promise<Store>;
  readonly dispose: () => Promise<void>;
}

export type StoreTest = readonly [sentence: string, run: (fixture: Fixture) => Promise<void>];

/**
 * Registers the tests that hold for every engine, each with two handles on one account and the
 * engine's own consistency check at the end.
 */
export function describeStore(name: string, open: () => Promise<OpenedStore>): void {
  const tests: readonly StoreTest[] = [
    ...mailboxTests,
    ...messageTests,
    ...changeTests,
    ...expiryTests,
    ...searchTests,
    ...annotationTests,
    ...directoryTests,
    ...credentialTests,
  ];
  for (const [sentence, run] of tests) {
    Deno.test(`${name}: ${sentence}`, () => withFixture(open, run));
  }
}
