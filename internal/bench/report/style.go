package report

// Style is that of all plots: the colours of the chat page, light or dark as the
// reader has chosen.
const Style = `<style>
svg { --paper: #FAF8F4; --ink: #1E2326; --muted: #5B6367; --hairline: #E4DED3; --ok: #3A6E4C; --danger: #A33F38 }
@media (prefers-color-scheme: dark) {
svg { --paper: #14181A; --ink: #E8E6E1; --muted: #9DA5A8; --hairline: #2B3236; --ok: #8CC29C; --danger: #E59C94 }
}
text { font: 13px system-ui, sans-serif; fill: var(--ink); font-variant-numeric: tabular-nums }
.title { font-size: 17px; font-weight: 600 }
.small { font-size: 12px; fill: var(--muted) }
.value { font-size: 12px }
.back { fill: var(--paper) }
.reached { fill: var(--ok) }
.missed { fill: var(--danger) }
.floor { stroke: var(--ink); stroke-width: 2 }
.target { stroke: var(--muted); stroke-dasharray: 4 3 }
.panel { font-weight: 600 }
.grid { stroke: var(--hairline) }
.curve { fill: none; stroke-width: 2; stroke-linejoin: round }
.reached > .curve { stroke: var(--ok) }
.missed > .curve { stroke: var(--danger) }
.lead { fill: none; stroke: var(--muted) }
.verdict { font-weight: 600 }
</style>
`
