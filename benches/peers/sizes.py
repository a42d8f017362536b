"""How much is dropped, and the bars that stockmill must reach."""

BARS_SMALL = {"bare": 2.5, "least": 1.5}  # 2,000 drops: times a reference
BAR_WAITING_PEAK_MB = 200  # 100,000 files at start: highest resident memory
BAR_MV_MS = 20  # one drop by mv, p99
BAR_CP_MS = BAR_MV_MS + 250  # one drop by cp, p99: the quiet time comes on top
BAR_IDLE_RSS_MB = 15  # 10,000 theme folders
BAR_IDLE_CPU = 0.2  # percent of one core, whatever lies there


class Sizes:
    """How much is dropped; with `quick` the script is only tried out, and its numbers mean little."""

    def __init__(self, quick, bundled=None, held=None):
        self.small = 400 if quick else 2_000
        self.burst = 2_000 if quick else 20_000
        self.waiting = (1_000, 4_000) if quick else (25_000, 100_000)
        self.drops = 10 if quick else 50
        self.folders = 500 if quick else 10_000
        self.bundled = bundled or (100 if quick else 1_500)
        self.held = held or (1_000 if quick else 20_000)
        self.idle_s = 10 if quick else 60
        # A run ends when everything has arrived, when nothing arrived for so long, or at the limit.
        self.stall_s = 15 if quick else 45
        self.limit_s = 60 if quick else 600
        self.settle_s = 20 if quick else 120
        self.prepare_s = 600
