import type { CommandSpec } from "./command.ts";
import type {
  CapabilitySpec,
  EnableSpec,
  Extension,
  SearchKeySpec,
  StatusItemSpec,
} from "./extension.ts";
import type { FetchItemSpec } from "./fetch_items.ts";
import type { FetchModifierSpec } from "./fetch_modifiers.ts";
import type { ListReturnSpec, ListSelectionSpec } from "./list_options.ts";
import type { SearchReturnSpec } from "./search_returns.ts";

/** The protocol as this process speaks it: tables filled from the core and the extensions. */
export class Registry {
  readonly extensions: readonly Extension[];
  readonly commands: ReadonlyMap<string, CommandSpec>;
  readonly fetchItems: ReadonlyMap<string, FetchItemSpec>;
  readonly fetchModifiers: ReadonlyMap<string, FetchModifierSpec>;
  readonly searchKeys: ReadonlyMap<string, SearchKeySpec>;
  readonly searchReturns: ReadonlyMap<string, SearchReturnSpec>;
  readonly statusItems: ReadonlyMap<string, StatusItemSpec>;
  readonly listSelections: ReadonlyMap<string, ListSelectionSpec>;
  readonly listReturns: ReadonlyMap<string, ListReturnSpec>;
  readonly enables: ReadonlyMap<string, EnableSpec>;
  readonly capabilities: readonly CapabilitySpec[];

  /** Throws when two extensions claim the same name. */
  constructor(extensions: readonly Extension[]) {
    this.extensions = extensions;
    this.commands = table(extensions.flatMap((extension) => extension.commands ?? []));
    this.fetchItems = table(extensions.flatMap((extension) => extension.fetchItems ?? []));
    this.fetchModifiers = table(extensions.flatMap((extension) => extension.fetchModifiers ?? []));
    this.searchKeys = table(extensions.flatMap((extension) => extension.searchKeys ?? []));
    this.searchReturns = table(extensions.flatMap((extension) => extension.searchReturns ?? []));
    this.statusItems = table(extensions.flatMap((extension) => extension.statusItems ?? []));
    this.listSelections = table(extensions.flatMap((extension) => extension.listSelections ?? []));
    this.listReturns = table(extensions.flatMap((extension) => extension.listReturns ?? []));
    this.enables = table(extensions.flatMap((extension) => extension.enables ?? []));
    this.capabilities = extensions.flatMap((extension) => extension.capabilities ?? []);
  }
}

function table<Spec extends { readonly name: string }>(
  specs: readonly Spec[],
): ReadonlyMap<string, Spec> {
  const map = new Map<string, Spec>();
  for (const spec of specs) {
    if (map.has(spec.name)) throw new Error(`${spec.name} is registered twice`);
    map.set(spec.name, spec);
  }
  return map;
}
