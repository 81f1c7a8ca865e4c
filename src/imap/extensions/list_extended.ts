import type { Extension } from "../extension.ts";

/** Options of LIST. \HasChildren and \HasNoChildren are always told, so CHILDREN adds nothing. */
export const listExtended: Extension = {
  rfc: [5258],
  title: "LIST-EXTENDED: selection and return options of LIST, several patterns",
  capabilities: [{ name: "LIST-EXTENDED", when: "afterLogin" }],
  listSelections: [
    { name: "SUBSCRIBED", selects: (entry) => entry.isSubscribed, implies: "SUBSCRIBED" },
    // There are no remote mailboxes to add to the others.
    { name: "REMOTE" },
    { name: "RECURSIVEMATCH" },
  ],
  listReturns: [
    {
      name: "SUBSCRIBED",
      parse: () => ({
        name: "SUBSCRIBED",
        attributes: (entry) => entry.isSubscribed ? ["\\Subscribed"] : [],
      }),
    },
    { name: "CHILDREN", parse: () => ({ name: "CHILDREN" }) },
  ],
};
