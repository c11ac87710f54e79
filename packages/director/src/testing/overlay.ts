import { overlayFromJson, overlayToJson, type OverlayStore } from '../overlay-file.ts'
import { emptyOverlay } from '../overlay.ts'

/** Saved as the file would be, but nowhere. */
export function overlayInMemory(): OverlayStore {
  let saved: string | undefined
  return {
    load: () => ({
      overlay: saved === undefined ? emptyOverlay : (overlayFromJson(JSON.parse(saved)) ?? emptyOverlay),
      problem: undefined,
    }),
    save(overlay) {
      saved = JSON.stringify(overlayToJson(overlay))
    },
  }
}
