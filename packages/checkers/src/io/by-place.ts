/** Makes room for a place. Written to far beyond its end, an array would become a table of hashes. */
export function reach<T>(array: (T | undefined)[], place: number): void {
  while (array.length <= place) array.push(undefined)
}
