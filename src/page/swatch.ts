import { type Html, html } from "./html.js";
import type { Look } from "./looks.js";

/** A piece of the arm's line, as the charts draw it. */
export const swatch = (look: Look): Html =>
  html`<svg class="swatch" width="26" height="8" aria-hidden="true"><path d="M0,4H26" stroke="${look.color}" stroke-width="2.4"${
    look.dash === undefined ? undefined : html` stroke-dasharray="${look.dash}"`
  }/></svg>`;
