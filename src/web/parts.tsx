import type { Child, FC } from "hono/jsx";

/** A word to the visitor: what was done, or why it was not. */
export const Notice: FC<{ kind: "done" | "problem" | "warning" | "note"; children?: Child }> = (
  { kind, children },
) => <div class={`notice ${kind}`} role={kind === "problem" ? "alert" : "status"}>{children}</div>;

interface FieldProps {
  readonly label: string;
  readonly name: string;
  /** `textarea` for several lines. */
  readonly type?: "text" | "password" | "email" | "search" | "number" | "file" | "textarea";
  readonly value?: string;
  readonly hint?: string;
  readonly required?: boolean;
  readonly autocomplete?: string;
  /** Of files: their endings and types. */
  readonly accept?: string;
}

/** A field of a form, with its label and what one should know before filling it in. */
export const Field: FC<FieldProps> = (
  { label, name, type = "text", value, hint, required, autocomplete = "off", accept },
) => {
  const common = {
    id: `field-${name}`,
    name,
    required,
    "aria-describedby": hint ? `hint-${name}` : undefined,
  };
  return (
    <p class="field">
      <label for={common.id}>{label}</label>
      {hint && <small id={`hint-${name}`}>{hint}</small>}
      {type === "textarea" ? <textarea {...common} spellcheck={false}>{value}</textarea> : (
        <input
          {...common}
          type={type}
          value={value}
          autocomplete={type === "file" ? undefined : autocomplete}
          accept={accept}
        />
      )}
    </p>
  );
};

/** A box to tick, with its label behind it. */
export const Check: FC<{ label: Child; name: string; value?: string; isChecked: boolean }> = (
  { label, name, value = "yes", isChecked },
) => (
  <label class="check">
    <input type="checkbox" name={name} value={value} checked={isChecked} />
    <span>{label}</span>
  </label>
);

/** Fields for a password that is to hold: `new` and, for slips of the finger, `again`. */
export const NewPassword: FC<{ minLength: number }> = ({ minLength }) => (
  <>
    <Field
      label="New password"
      name="new"
      type="password"
      hint={`At least ${minLength} characters.`}
      autocomplete="new-password"
      required
    />
    <Field
      label="New password, again"
      name="again"
      type="password"
      autocomplete="new-password"
      required
    />
  </>
);

/** A button that changes something. `fields` go with it unseen. */
export const Action: FC<{
  action: string;
  text: string;
  /** What the button is for, where its text alone does not tell: for screen readers. */
  label?: string;
  fields?: Readonly<Record<string, string>>;
  isDangerous?: boolean;
}> = ({ action, text, label, fields = {}, isDangerous = false }) => (
  <form method="post" action={action} class="action">
    {Object.entries(fields).map(([name, value]) => (
      <input
        type="hidden"
        name={name}
        value={value}
      />
    ))}
    <button type="submit" class={isDangerous ? "danger" : undefined} aria-label={label}>
      {text}
    </button>
  </form>
);

/** Rows for people. It scrolls by itself where the screen is narrow. */
export const Table: FC<{
  /** What the table has, for screen readers. */
  caption: string;
  /** Their titles; numbers stand to the right. */
  columns: readonly (string | { readonly title: string; readonly isNumber: true })[];
  rows: readonly (readonly Child[])[];
  /** What is said when there are none. */
  empty: string;
}> = ({ caption, columns, rows, empty }) => {
  if (rows.length === 0) return <p class="empty">{empty}</p>;
  const heads = columns.map((column) =>
    typeof column === "string"
      ? { title: column, kind: undefined }
      : { title: column.title, kind: "number" }
  );
  return (
    <div class="table" role="region" aria-label={caption} tabindex={0}>
      <table>
        <caption>{caption}</caption>
        <thead>
          <tr>
            {heads.map(({ title, kind }) => <th scope="col" class={kind}>{title}</th>)}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr>
              {row.map((cell, i) => (
                <td class={heads[i]?.kind} data-title={heads[i]?.title}>
                  <div>{cell}</div>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
};

/** Names and their values. */
export const Facts: FC<{ facts: readonly (readonly [name: string, value: Child])[] }> = (
  { facts },
) => (
  <dl class="facts">
    {facts.map(([name, value]) => (
      <div>
        <dt>{name}</dt>
        <dd>{value}</dd>
      </div>
    ))}
  </dl>
);

/** How much of something is used. */
export const Meter: FC<{ label: string; value: number; max: number; text: string }> = (
  { label, value, max, text },
) => (
  <div class="meter">
    <meter aria-label={label} value={value} max={max} high={max * 0.9} low={max * 0.75} optimum={0}>
      {text}
    </meter>
    <span>{text}</span>
  </div>
);

/** One of several things to choose from. */
export const Choice: FC<{
  label: string;
  name: string;
  options: readonly (readonly [value: string, text: string])[];
  value: string;
}> = ({ label, name, options, value }) => (
  <p class="field">
    <label for={`field-${name}`}>{label}</label>
    <select id={`field-${name}`} name={name}>
      {options.map(([each, text]) => <option value={each} selected={each === value}>{text}
      </option>)}
    </select>
  </p>
);

/** The same, all to be seen at once. */
export const Radios: FC<{
  legend: string;
  name: string;
  options: readonly (readonly [value: string, text: Child])[];
  value: string;
}> = ({ legend, name, options, value }) => (
  <fieldset>
    <legend>{legend}</legend>
    {options.map(([each, text]) => (
      <label class="check">
        <input type="radio" name={name} value={each} checked={each === value} />
        <span>{text}</span>
      </label>
    ))}
  </fieldset>
);

/** What stands to the right of a number: the title of such a column. */
export function numeric(title: string): { readonly title: string; readonly isNumber: true } {
  return { title, isNumber: true };
}

/** A word that stands out in a table. */
export const Badge: FC<{ kind: "off" | "problem" | "good"; children?: Child }> = (
  { kind, children },
) => <span class={`badge ${kind}`}>{children}</span>;

/** Links to the pages of a list that is shown `size` at a time; `query` goes with them. */
export const Pager: FC<{
  path: string;
  query: Readonly<Record<string, string>>;
  /** From 0. */
  page: number;
  size: number;
  total: number;
}> = ({ path, query, page, size, total }) => {
  const last = Math.max(0, Math.ceil(total / size) - 1);
  if (last === 0) return null;
  const href = (to: number) => `${path}?${new URLSearchParams({ ...query, page: String(to + 1) })}`;
  return (
    <nav class="links" aria-label="Pages of the list">
      <span>{`Page ${page + 1} of ${last + 1}`}</span>
      {page > 0 && <a href={href(0)}>First</a>}
      {page > 0 && <a href={href(page - 1)}>Previous</a>}
      {page < last && <a href={href(page + 1)}>Next</a>}
      {page < last && <a href={href(last)}>Last</a>}
    </nav>
  );
};
