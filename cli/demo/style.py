"""The report's style sheet: light and dark, wide and narrow, and print. No external resource."""

CSS = """
:root { color-scheme: light dark; --page: #f7f7f5; --card: #ffffff; --ink: #1b1d22; --soft: #5a5f6b;
  --rule: #e0e1e4; --grid: #e6e7ea; --bad: #c8332f; --bad-area: #c8332f2b; --fine: #9db4d0; --good: #1f7a4d;
  --live: #c8332f0d; --healed: #1f7a4d14; --moment: #3d4350; --chip: #3d4350; --chip-ink: #ffffff;
  --wait: #7a5a12; --wait-area: #b5852026; --warm: #b58520; --done: #5f9a7d; }
@media (prefers-color-scheme: dark) { :root { --page: #14161a; --card: #1c1f25; --ink: #eceef2;
  --soft: #a3a9b6; --rule: #32363f; --grid: #2c3038; --bad: #ff7a70; --bad-area: #ff7a7033; --fine: #4f6a8c;
  --good: #5ecb95; --live: #ff7a700f; --healed: #5ecb9517; --moment: #aab1bf; --chip: #d5d9e2;
  --chip-ink: #1c1f25; --wait: #e0b45c; --wait-area: #e0b45c26; --warm: #c08f2e; --done: #3f7d60; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1040px; margin: 0 auto; padding: 32px 20px 56px; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 10px 0 8px; letter-spacing: -0.01em; }
h2 { font-size: 1.1rem; margin: 0 0 12px; }
p { margin: 0 0 10px; max-width: 75ch; }
.lead { color: var(--soft); }
.badge { display: inline-block; padding: 3px 12px; border-radius: 999px; font-weight: 600;
  font-size: 0.875rem; border: 1.5px solid currentColor; }
.badge.good { color: var(--good); } .badge.bad { color: var(--bad); }
section, .figures div { background: var(--card); border: 1px solid var(--rule); border-radius: 12px; }
section { padding: 20px; margin-top: 20px; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px;
  margin: 20px 0 0; padding: 0; }
.figures div { padding: 14px 16px; }
.figures dt { color: var(--soft); font-size: 0.8125rem; }
.figures dd { margin: 2px 0 0; font-size: 1.5rem; font-weight: 650; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 0.9375rem; }
caption { text-align: left; color: var(--soft); font-size: 0.875rem; padding-bottom: 6px; }
th, td { text-align: left; padding: 8px 14px 8px 0; border-top: 1px solid var(--rule); vertical-align: top; }
thead th { border-top: 0; color: var(--soft); font-weight: 500; font-size: 0.8125rem; white-space: nowrap; }
tbody th { font-weight: 600; }
.n { text-align: right; }
.n, td.time { font-variant-numeric: tabular-nums; white-space: nowrap; }
td.text { overflow-wrap: anywhere; }
.dot { display: inline-block; min-width: 1.5em; height: 1.5em; line-height: 1.5em; border-radius: 999px;
  font-size: 0.75rem; text-align: center; background: var(--chip); color: var(--chip-ink); font-weight: 600;
  margin-right: 8px; }
.dot:is(.act, .recovered, .alarm_ok, .at_rest, .drained) { background: var(--good); color: var(--card); }
.dot:is(.first_error, .alarm, .last_error, .errors_again, .bad_version, .outage) { background: var(--bad);
  color: var(--card); }
.mark { font-weight: 700; margin-right: 8px; }
.mark.good { color: var(--good); } .mark.bad { color: var(--bad); }
h3 { font-size: 1rem; margin: 22px 0 8px; } h3:first-of-type { margin-top: 0; }
ul { margin: 0; padding-left: 20px; }
.chart { display: block; width: 100%; height: auto; }
.chart.narrow { display: none; }
.chart text { fill: var(--ink); font-size: 12px; font-family: inherit; }
.chart .tick, .chart .axis-title { fill: var(--soft); }
.chart .middle { text-anchor: middle; } .chart .end { text-anchor: end; }
rect.ground { fill: var(--card); }
.chart .phase-name { fill: var(--soft); text-anchor: middle; font-style: italic; }
.grid { stroke: var(--grid); stroke-width: 1; } .axis { stroke: var(--soft); stroke-width: 1; }
.phase.live { fill: var(--live); } .phase.healed { fill: var(--healed); }
.rate-area { fill: var(--bad-area); }
.rate-line { fill: none; stroke: var(--bad); stroke-width: 2; stroke-linejoin: round; }
rect.failed { fill: var(--bad); } rect.answered { fill: var(--fine); }
.wait-area { fill: var(--wait-area); }
.wait-line { fill: none; stroke: var(--wait); stroke-width: 2; stroke-linejoin: round; }
rect.fulfilled { fill: var(--done); } rect.stored-key { fill: var(--ink); }
.stored-line { fill: none; stroke: var(--ink); stroke-width: 1.25; }
.band { rx: 3px; } .band.circuit, .band.ringing { fill: var(--bad); } .band.incident { fill: var(--moment); }
.band.half-open, .band.slow { fill: var(--warm); }
.band.verifying { fill: var(--good); }
.chart .band-text { fill: var(--card); font-size: 11px; font-weight: 600; }
.moment line { stroke: var(--moment); stroke-width: 1.25; stroke-dasharray: 3 3; }
.moment circle { fill: var(--chip); }
.chart .number { fill: var(--chip-ink); text-anchor: middle; font-size: 10.5px; font-weight: 700; }
.moment:is(.act, .recovered, .alarm_ok, .at_rest, .drained) circle { fill: var(--good); }
.moment:is(.first_error, .alarm, .last_error, .errors_again, .bad_version, .outage) circle {
  fill: var(--bad); }
.moment.act line, .moment.recovered line { stroke: var(--good); stroke-dasharray: none; }
.moment:not(.deployed, .baseline_restored, .opened, .mended) .number { fill: var(--card); }
@media (max-width: 640px) {
  main { padding: 20px 12px 40px; } h1 { font-size: 1.4rem; } section { padding: 14px; }
  .chart.wide { display: none; } .chart.narrow { display: block; }
  .figures { grid-template-columns: 1fr 1fr; } .utc { display: none; }
  thead th { white-space: normal; } th, td { padding-right: 10px; } table { font-size: 0.875rem; }
}
@media print { body { background: none; } section, .figures div { break-inside: avoid; } }
"""
