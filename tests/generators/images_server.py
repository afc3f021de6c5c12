"""A loopback server of one's own that speaks the Images API with a diffusion model's further fields, as vLLM-Omni does.

It needs no key, and gives the picture in the answer or behind an address, as `response_format` asks.
"""

from __future__ import annotations

import base64
import json

from aiohttp import web
from vendor_server import Refused, VendorServer, need_fields

OPTIONAL = {
    "n": (1,),
    "size": str,
    "response_format": ("b64_json", "url"),
    "negative_prompt": str,
    "num_inference_steps": int,
    "guidance_scale": float,
    "true_cfg_scale": float,
    "seed": int,
}


class ImagesServer(VendorServer):
    def paths(self, app: web.Application) -> None:
        app.router.add_post("/v1/images/generations", self._generate)

    async def _generate(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        self.headers.append(dict(request.headers))
        try:
            body = json.loads(raw)
            self.bodies.append(raw)
            need_fields(body, {"model": str, "prompt": str}, OPTIONAL)
        except Refused as e:
            self.bad.append(str(e))
            return await self.send(request, None, {"error": {"message": str(e), "code": 400}}, 400)
        call = self.draw_fault(body["prompt"])
        if call.kind == "gone":  # the address leads nowhere
            image = {"url": f"{self.url}/files/none.png"}
        elif body.get("response_format") == "url":
            image = {"url": self.host(call), "revised_prompt": "A triangle, drawn flat."}
        else:
            image = {"b64_json": base64.b64encode(self.picture(call)).decode()}
        return await self.send(request, call, {"created": 1_760_000_000, "data": [image]})
