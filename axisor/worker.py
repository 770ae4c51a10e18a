"""Start one worker of Celery's table: `python -m axisor.worker worker-execute`."""

import sys

from axisor.celery import WORKERS, app


def main() -> None:
    """Run the named worker until it is told to stop."""
    name = sys.argv[1] if len(sys.argv) == 2 else ""
    if name not in WORKERS:
        sys.exit(f"axisor.worker: name one of {', '.join(WORKERS)}.")
    spec = WORKERS[name]
    app.worker_main(
        [
            "--quiet",
            "worker",
            f"--hostname={name}@%h",
            f"--queues={','.join(spec.queues)}",
            f"--concurrency={spec.concurrency}",
            f"--prefetch-multiplier={spec.prefetch}",
            "--loglevel=INFO",
            "--without-gossip",
            "--without-mingle",
        ]
    )


if __name__ == "__main__":
    main()
