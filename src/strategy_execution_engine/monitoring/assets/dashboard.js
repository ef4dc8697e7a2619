// Says how old the figures are, in the browser, so that a server that has gone away is noticed.
window.dash_clientside = Object.assign({}, window.dash_clientside, {
  dashboard: {
    age: function (_seconds, sampled, shown) {
      const now = Date.now();
      if (sampled && sampled !== this.sampled) {
        this.sampled = sampled;
        this.arrived = now;
      }
      if (!this.arrived) return shown;
      const age = Math.round((now - this.arrived) / 1000);
      const lost = age > 5;
      document.body.classList.toggle("lost", lost);
      if (lost) return "no answer for " + age + " s";
      return "updated " + new Date(this.arrived).toISOString().slice(11, 19) + " UTC";
    },
  },
});
