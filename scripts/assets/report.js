// The charts of falrun report: each canvas names its part of #data. The same
// numbers stand in the table beside it, so nothing is lost without this.
(function () {
  "use strict";
  var data = JSON.parse(document.getElementById("data").textContent);
  var dark = matchMedia("(prefers-color-scheme: dark)");
  var colors = { deleted: "good", gone: "calm", partial: "odd",
    held: "other", refused: "soft", failed: "bad", open: "soft",
    unsent: "soft" };
  var charts = [];

  function ink(name) {
    return getComputedStyle(document.documentElement)
      .getPropertyValue("--" + name).trim();
  }

  // One bar for each row, in it one piece for each outcome that occurs.
  function bars(rows, label, sideways) {
    var used = data.outcomes.filter(function (name) {
      return rows.some(function (row) { return row[name] > 0; });
    });
    return {
      type: "bar",
      data: {
        labels: rows.map(function (row) { return row[label]; }),
        datasets: used.map(function (name) {
          return { label: name, stack: "all", maxBarThickness: 48,
            backgroundColor: ink(colors[name]),
            data: rows.map(function (row) { return row[name] || 0; }) };
        })
      },
      options: { indexAxis: sideways ? "y" : "x",
        scales: { x: { stacked: true }, y: { stacked: true } } }
    };
  }

  function line(rate) {
    return {
      type: "line",
      data: {
        labels: rate.points.map(function (point) {
          return point.at.slice(11, 19);
        }),
        datasets: [{ label: "deleted each second", fill: true,
          borderColor: ink("calm"), backgroundColor: ink("calm") + "33",
          pointRadius: rate.points.length > 1 ? 0 : 3, borderWidth: 2,
          data: rate.points.map(function (point) {
            return point.deleted / rate.seconds;
          }) }]
      },
      options: { scales: { y: { beginAtZero: true } } }
    };
  }

  var makers = {
    days: function () { return bars(data.days, "day", false); },
    endpoints: function () {
      return bars(data.endpoints.slice(0, 20), "endpoint", true);
    },
    rate: function () { return line(data.rate); }
  };

  function draw() {
    charts.forEach(function (chart) { chart.destroy(); });
    Chart.defaults.color = ink("soft");
    Chart.defaults.borderColor = ink("line");
    Chart.defaults.font.family = "system-ui, sans-serif";
    charts = Array.from(document.querySelectorAll("canvas[data-part]"),
      function (canvas) {
        var config = makers[canvas.dataset.part]();
        config.options.animation = false;
        config.options.responsive = true;
        config.options.maintainAspectRatio = false;
        return new Chart(canvas, config);
      });
  }

  draw();
  dark.addEventListener("change", draw);
  // Paper is white, whatever the screen is (the style sheet says so), and
  // nothing on it can be opened.
  matchMedia("print").addEventListener("change", draw);
  addEventListener("beforeprint", function () {
    document.querySelectorAll("details:not([open])").forEach(function (one) {
      one.open = one.dataset.printed = true;
    });
    draw();
  });
  addEventListener("afterprint", function () {
    document.querySelectorAll("details[data-printed]").forEach(function (one) {
      one.open = false;
      delete one.dataset.printed;
    });
    draw();
  });
})();
