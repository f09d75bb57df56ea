/** The page's one style sheet. Colours: Okabe and Ito's, darker on white paper where a line of text must be read. */
export const STYLE = `
:root { color-scheme: light dark;
  --paper: #ffffff; --ink: #1c1e21; --soft: #5b6168; --rule: #dfe2e6; --field: #f3f4f6; --warn: #fff4d6; --heat: #0b5a8f;
  --arm-1: #0072b2; --arm-2: #c65300; --arm-3: #007f5c; --arm-4: #6b5bb5; --arm-5: #7d7000; --arm-6: #b0518a; }
@media (prefers-color-scheme: dark) { :root {
  --paper: #15171a; --ink: #eceef0; --soft: #a3a9b1; --rule: #34383e; --field: #202328; --warn: #3a3013; --heat: #7cc4f2;
  --arm-1: #56b4e9; --arm-2: #ff8b45; --arm-3: #2fc79b; --arm-4: #b3a4f2; --arm-5: #e6d04f; --arm-6: #e59ac8; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 62rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0; }
h2 { font-size: 1.2rem; line-height: 1.3; margin: 3rem 0 .6rem; padding-top: .8rem; border-top: 1px solid var(--rule); }
header p { margin: .3rem 0 0; color: var(--soft); }
header + section h2 { margin-top: 1.5rem; }
a { color: inherit; }
nav { margin-top: .8rem; font-size: .88rem; display: flex; flex-wrap: wrap; gap: .2rem 1rem; }
.sentences { list-style: none; padding: 0; margin: 0 0 .8rem; font-size: 1.06rem; }
.short { font-size: 1.06rem; font-weight: 600; margin: 0 0 .6rem; max-width: 50rem; }
.sentences li { margin: .35rem 0; max-width: 50rem; padding-left: 2.2rem; text-indent: -2.2rem; }
.swatch { display: inline-block; width: 26px; margin-right: .5rem; vertical-align: middle; fill: none; }
.note, caption, .absent { color: var(--soft); font-size: .88rem; line-height: 1.45; }
.note, .absent { margin: .4rem 0 .8rem; max-width: 46rem; }
.absent { border-left: 3px solid var(--rule); padding-left: .7rem; }
.warning { background: var(--warn); padding: .55rem .8rem; border-radius: 6px; }
.key { display: flex; flex-wrap: wrap; gap: .2rem .9rem; }
h3 { font-size: .95rem; margin: 1.2rem 0 .4rem; break-after: avoid; }
ul.note { padding-left: 1.1rem; } ul.note li { margin: .15rem 0; }
.warning ul { margin: .2rem 0 0; padding-left: 1.1rem; }
td small { display: block; color: var(--soft); font-size: .8rem; }
.samples { list-style: none; margin: 0; padding: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: .7rem .9rem; font-size: .78rem; line-height: 1.3; }
.samples li { display: grid; grid-template-columns: 56px 1fr; gap: .15rem .5rem; align-content: start; break-inside: avoid; }
.samples img { width: 56px; height: 56px; object-fit: contain; image-rendering: pixelated; background: var(--field); border: 1px solid var(--rule); print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.samples .spark { grid-column: 1 / -1; }
.wide { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
caption { text-align: left; padding-bottom: .4rem; }
th, td { padding: .32rem .9rem .32rem 0; text-align: right; border-bottom: 1px solid var(--rule); white-space: nowrap; }
th:first-child { text-align: left; font-weight: 500; }
thead th { font-size: .82rem; font-weight: 600; color: var(--soft); vertical-align: bottom; }
tr.baseline th, tr.baseline td { font-weight: 700; }
.facts td, .facts th { text-align: left; vertical-align: top; white-space: normal; overflow-wrap: anywhere; }
.facts th { white-space: nowrap; color: var(--soft); }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 330px), 1fr)); gap: 1.6rem 2rem; margin: .8rem 0 1rem; }
.charts.small { grid-template-columns: repeat(auto-fill, minmax(min(100%, 250px), 1fr)); gap: 1.1rem 1.4rem; }
figure { margin: 0; min-width: 0; break-inside: avoid; }
figcaption { font-size: .92rem; line-height: 1.35; margin-bottom: .2rem; }
figcaption strong { font-weight: 600; }
figure .note { margin: .1rem 0 0; font-size: .8rem; }
svg.plot { display: block; width: 100%; height: auto; max-width: 30rem; overflow: visible; font-family: inherit; }
.small svg.plot { max-width: 22rem; }
svg.plot text { white-space: pre; font-variant-numeric: tabular-nums; }
svg.plot [aria-label$="tick"] { stroke: var(--rule); }
svg.plot [aria-label$="grid"] { stroke: var(--rule); stroke-opacity: 1; }
svg.plot [aria-label$="label"] { fill: var(--soft); }
svg.plot .ends text { font-weight: 600; }
pre { background: var(--field); padding: .7rem .9rem; border-radius: 6px; overflow-x: auto; font-size: .82rem; line-height: 1.4; }
summary { cursor: pointer; }
.endings { font-size: .92rem; padding-left: 1.2rem; }
thead th { white-space: normal; min-width: 4.5rem; } thead th:first-child { min-width: 0; }
@media screen and (max-width: 40rem) {
  .data, .data tbody, .data th { display: block; } .data thead { display: none; } .data th:first-child { max-width: none; font-weight: 600; white-space: normal; overflow-wrap: anywhere; }
  .data th, .data td { border: 0; padding: 0; white-space: normal; overflow-wrap: anywhere; } .data tr { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; padding: .4rem 0; border-bottom: 1px solid var(--rule); }
  .data th { flex: 0 0 100%; } .data td { text-align: left; font-size: .92rem; max-width: 100%; }
  .data td::before { content: attr(data-name); display: block; color: var(--soft); font-size: .75rem; font-weight: 400; }
  .facts, .facts tbody, .facts tr, .facts th, .facts td { display: block; } .facts th { border: 0; padding-bottom: 0; }
  .samples { grid-template-columns: repeat(auto-fill, minmax(8.4rem, 1fr)); }
}
@media print {
  :root { --paper: #ffffff; --ink: #000000; --soft: #444444; --rule: #cccccc; --field: #f3f4f6; --warn: #fff4d6; --heat: #0b5a8f;
    --arm-1: #0072b2; --arm-2: #c65300; --arm-3: #007f5c; --arm-4: #6b5bb5; --arm-5: #7d7000; --arm-6: #b0518a; }
  body { max-width: none; padding: 0; font-size: 11pt; } nav { display: none; }
  h2 { break-after: avoid; margin-top: 1.6rem; } .wide, pre { overflow: visible; } tr { break-inside: avoid; }
  table { font-size: 8.5pt; } thead th { font-size: 7.5pt; min-width: 0; } th, td { padding: .2rem .4rem .2rem 0; } pre { white-space: pre-wrap; }
  .charts { grid-template-columns: 1fr 1fr; } .charts.small { grid-template-columns: 1fr 1fr 1fr; }
  svg { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
