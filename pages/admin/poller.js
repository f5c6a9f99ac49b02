// Asks again and again: later when the API is away, not at all while nobody looks.

const longestPause = 30_000;

export class Poller {
  /** `ask(signal)` is a promise; `every()` the pause in ms after an answer; `onAnswer(answer)`, `onFailure(error)`. */
  constructor({ ask, every, onAnswer, onFailure }) {
    Object.assign(this, { ask, every, onAnswer, onFailure });
    this.failures = 0;
    this.isOn = false;
    this.onVisibility = () => (document.hidden ? this.pause() : this.now());
  }

  start() {
    if (this.isOn) return;
    this.isOn = true;
    document.addEventListener('visibilitychange', this.onVisibility);
    this.now();
  }

  stop() {
    this.isOn = false;
    document.removeEventListener('visibilitychange', this.onVisibility);
    this.pause();
  }

  pause() {
    clearTimeout(this.timer);
    this.running?.abort();
    this.running = null;
  }

  /** Asks at once. What was asked before is given up. */
  async now() {
    this.pause();
    if (!this.isOn || document.hidden) return;
    const running = new AbortController();
    this.running = running;
    const outcome = await this.ask(running.signal).then((answer) => ({ answer }), (error) => ({ error }));
    if (this.running !== running) return;
    this.running = null;
    this.failures = outcome.error ? this.failures + 1 : 0;
    if (outcome.error) this.onFailure(outcome.error);
    else this.onAnswer(outcome.answer);
    if (!this.isOn || this.running) return;
    const pause = Math.min(this.every() * 2 ** Math.min(this.failures, 5), Math.max(longestPause, this.every()));
    this.timer = setTimeout(() => this.now(), pause);
  }
}
