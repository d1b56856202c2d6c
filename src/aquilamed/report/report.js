(function () {
  "use strict";
  var opened = [];
  window.addEventListener("beforeprint", function () {
    opened = Array.prototype.filter.call(document.querySelectorAll("details.long:not([open])"), function (one) { one.open = true; return true; });
  });
  window.addEventListener("afterprint", function () { opened.forEach(function (one) { one.open = false; }); });
  var samples = document.querySelector("#samples h2");
  if (samples && document.querySelector("details.long")) {
    var button = document.createElement("button");
    button.type = "button";
    button.textContent = "Show all in full · 全部展开";
    button.addEventListener("click", function () {
      var all = document.querySelectorAll("details.long"), open = !all[0].open;
      all.forEach(function (one) { one.open = open; });
    });
    samples.insertAdjacentElement("afterend", button);
  }
})();
