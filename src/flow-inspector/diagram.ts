/** What the diagram needs of a step; the recorder's steps have it. */
interface Step {
  readonly number: number;
  readonly from: Actor;
  readonly to: Actor;
  readonly title: string;
}

type Actor = 'browser' | 'app' | 'getbill' | 'redis';

const COLUMN_X: Readonly<Record<Actor, number>> = { browser: 70, app: 290, getbill: 510, redis: 730 };
const NAMES: Readonly<Record<Actor, string>> = {
  browser: 'Browser',
  app: 'This app',
  getbill: 'GetBill',
  redis: 'Storage',
};
const FIRST_Y = 64;
const ROW = 44;
const WIDTH = 800;

/** Coordinates for the view, which writes the SVG: lifelines, then one arrow per step with its label above it. */
export function layOut(steps: readonly Step[]) {
  const height = FIRST_Y + Math.max(1, steps.length) * ROW;
  return {
    width: WIDTH,
    height,
    lifelines: (Object.keys(COLUMN_X) as Actor[]).map((actor) => ({
      name: NAMES[actor],
      x: COLUMN_X[actor],
      top: 36,
      bottom: height,
    })),
    arrows: steps.map(({ number, from, to, title }, index) => {
      const [x1, x2] = [COLUMN_X[from], COLUMN_X[to]];
      const left = Math.min(x1, x2);
      const y = FIRST_Y + index * ROW + 18;
      const direction = x2 > x1 ? -1 : 1;
      return {
        x1, x2, y, number,
        label: `${number}. ${title.length > 60 ? `${title.slice(0, 59)}…` : title}`,
        labelX: Math.min(left + 8, WIDTH - 330),
        head: `${x2},${y} ${x2 + direction * 9},${y - 4.5} ${x2 + direction * 9},${y + 4.5}`,
      }; // prettier-ignore
    }),
  };
}

export const actorName = (actor: Actor): string => NAMES[actor];
