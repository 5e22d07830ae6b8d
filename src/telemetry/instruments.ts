import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The labels of the series that exist before their first event. */
type Series<Label extends string> = readonly Readonly<Record<Label, string>>[];

export const seriesOf = <Label extends string>(label: Label, values: readonly string[]) =>
  values.map((value) => ({ [label]: value }) as Record<Label, string>);

/** Makes the metrics of one registry. */
export function createInstruments(registry: Registry) {
  const named = (name: string, help: string) => ({
    name: `getbill_connect_${name}`,
    help,
    registers: [registry],
  });
  return {
    counter: <Label extends string = never>(
      name: string,
      help: string,
      series: Series<Label> = [],
    ) => {
      const labelNames = Object.keys(series[0] ?? {}) as Label[];
      const counter = new Counter({ ...named(name, help), labelNames });
      for (const labels of series) counter.inc(labels, 0);
      return counter;
    },
    histogram: <Label extends string = never>(
      name: string,
      help: string,
      labelNames: Label[] = [],
      series: Series<Label> = [],
    ) => {
      const histogram = new Histogram({ ...named(name, help), labelNames, buckets: SECONDS });
      for (const labels of series) histogram.zero(labels);
      return histogram;
    },
    gauge: <Label extends string = never>(
      name: string,
      help: string,
      collect: (gauge: Gauge<Label>) => void,
      labelNames: Label[] = [],
    ) => {
      function collectThis(this: Gauge<Label>): void {
        collect(this);
      }
      new Gauge({ ...named(name, help), labelNames, collect: collectThis });
    },
  };
}
