// Metrics: the figures of a node for Prometheus, through the package prom-client.
//
// For: `snowmesh/prometheus`. Figures that a node has anyway are read in a scrape; events are counted from the channels of
// ts/diagnostics.
//
// Guarantees: nothing is measured before `collectMetrics`. A scrape reads every actor, 5000 in each turn of the event loop.
// Must not know: how figures leave the process.
export { collectMetrics, type MetricsOptions } from './prometheus.ts';
