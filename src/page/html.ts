/** HTML as text in which whatever is put in is escaped, unless it is HTML of ours already. */

export class Html {
  constructor(readonly text: string) {}
}

export type Part = Html | string | number | undefined | readonly Part[];

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character]);

/** Template tag: parts are escaped, lists are joined, undefined is nothing. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(strings.map((text, at) => text + (at < parts.length ? render(parts[at]) : "")).join(""));
}

function render(part: Part): string {
  if (part === undefined) return "";
  if (part instanceof Html) return part.text;
  if (typeof part === "string" || typeof part === "number") return escapeHtml(String(part));
  return part.map(render).join("");
}

/** A section with its heading. */
export const section = (id: string, title: string, ...parts: readonly Part[]): Html =>
  html`<section id="${id}">
<h2>${title}</h2>
${parts.map((part) => html`${part}\n`)}</section>
`;

/** A picture with what it shows below it. */
export const figure = (title: string, picture: Html, caption?: Part): Html =>
  html`<figure>
<figcaption><strong>${title}</strong></figcaption>
${picture}${caption === undefined ? undefined : html`\n<p class="note">${caption}</p>`}
</figure>
`;

/** Says why something is left out. */
export const absent = (...parts: readonly Part[]): Html => html`<p class="absent">${parts}</p>`;
