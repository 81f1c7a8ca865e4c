import type { SiteContext } from "./site.tsx";

/** What was typed into the fields of a form. */
export interface Form {
  /** The text of a field; "" when it is missing. */
  text(name: string): string;
  /** All texts of fields of this name, such as boxes that were ticked. */
  texts(name: string): string[];
  /** The file of a field; undefined when none was chosen. */
  file(name: string): File | undefined;
}

/** Reads a form that was sent; one that cannot be read looks like an empty one. */
export async function readForm(context: SiteContext): Promise<Form> {
  const data = await context.req.formData().catch((error) => {
    if (error instanceof TypeError) return new FormData();
    throw error;
  });
  const texts = (name: string) => data.getAll(name).filter((value) => typeof value === "string");
  return {
    text: (name) => texts(name)[0] ?? "",
    texts,
    file: (name) =>
      data.getAll(name).find((value) => value instanceof File && value.size > 0) as
        | File
        | undefined,
  };
}

/** Has the browser see `path` after a form did its work: `word` is for `doneText`. */
export function redirectDone(context: SiteContext, path: string, word: string): Response {
  return context.redirect(`${path}?done=${word}`, 303);
}

/** What was done, in the page's own words: those of the word that the form left, if it is one. */
export function doneText(
  context: SiteContext,
  texts: Readonly<Record<string, string>>,
): string | undefined {
  const word = context.req.query("done") ?? "";
  return Object.hasOwn(texts, word) ? texts[word] : undefined;
}

/** The page of a list that is asked for, from 0. */
export function pageOf(context: SiteContext): number {
  const text = context.req.query("page") ?? "";
  return /^[1-9]\d{0,5}$/.test(text) ? Number(text) - 1 : 0;
}

const NAME = /^[^\p{Cc}]{1,100}$/u;

/** Why a name for people's eyes cannot be kept; undefined when it can. */
export function nameProblem(name: string): string | undefined {
  return NAME.test(name) ? undefined : "A name is one line of at most 100 characters.";
}
