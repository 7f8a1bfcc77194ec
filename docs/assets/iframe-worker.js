// A worker in an iframe: what the search needs where the site is opened from a folder (file://),
// from which browsers start no worker.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    #waiting = [];
    #frame = document.createElement("iframe");

    constructor(url) {
      super();
      this.#frame.hidden = true;
      document.body.append(this.#frame);
      const inside = this.#frame.contentWindow;
      const answer = (data) => {
        const message = new MessageEvent("message", { data });
        this.dispatchEvent(message);
        this.onmessage?.(message);
      };
      inside.postMessage = answer;
      const script = inside.document.createElement("script");
      script.src = url;
      script.onload = () => {
        this.#waiting.splice(0).forEach((data) => this.#deliver(data));
        this.#waiting = undefined;
      };
      inside.document.body.append(script);
    }

    #deliver(data) {
      this.#frame.contentWindow.dispatchEvent(new MessageEvent("message", { data }));
    }

    postMessage(data) {
      this.#waiting ? this.#waiting.push(data) : this.#deliver(data);
    }

    terminate() {
      this.#frame.remove();
    }
  };
}
