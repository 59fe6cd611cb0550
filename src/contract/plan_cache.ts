/**
 * Plans by expression, each for certain shapes and options. Where there are too many, the one that was not asked for longest goes: of
 * the expression that has too many, or of that which nothing was planned for longest.
 */
export class PlanCache<Plan> {
  /** By expression, the one planned for last at the end; of each the plan asked for last at the end. */
  private readonly lists = new Map<string, Plan[]>();
  private readonly most: number;
  private readonly mostOfOne: number;
  private count = 0;

  /** At most so many plans in all, and so many of one expression, which a search goes through one by one. */
  constructor(most: number, mostOfOne: number) {
    this.most = most;
    this.mostOfOne = mostOfOne;
  }

  find(expression: string, fits: (plan: Plan) => boolean): Plan | undefined {
    const list = this.lists.get(expression);
    if (!list) return undefined;
    const last = list.length - 1;
    for (let n = last; n >= 0; n--) {
      const plan = list[n];
      if (!fits(plan)) continue;
      if (n < last) {
        list.copyWithin(n, n + 1);
        list[last] = plan;
      }
      return plan;
    }
    return undefined;
  }

  add(expression: string, plan: Plan): void {
    const list = this.lists.get(expression) ?? [];
    if (list.length >= this.mostOfOne) this.drop(list);
    list.push(plan);
    this.count++;
    // Behind all others.
    this.lists.delete(expression);
    this.lists.set(expression, list);
    if (this.count <= this.most) return;
    const [[oldest, plans]] = this.lists;
    this.drop(plans);
    if (plans.length === 0) this.lists.delete(oldest);
  }

  private drop(plans: Plan[]): void {
    plans.shift();
    this.count--;
  }
}
