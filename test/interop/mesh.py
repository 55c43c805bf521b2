"""protobuf and gRPC of Google's for the interface of namerd, driven by mesh-codec.test.ts.

Reads a JSON object a line and answers each with one:

  {"recode": "BindReq", "hex": "0a00"}        the message as protobuf reads and writes it
  {"call": "Interpreter/GetBoundTree", "request": {...}}    of the namerd at argv[1]; `count`: that many of a stream's answers
"""

import json
import sys

import grpc
import mesh_pb2
from google.protobuf import json_format

channel = grpc.insecure_channel(f"127.0.0.1:{sys.argv[1]}")
services = mesh_pb2.DESCRIPTOR.services_by_name


def class_of(descriptor):
    return getattr(mesh_pb2, descriptor.name)


def recode(name, text):
    message = getattr(mesh_pb2, name)()
    message.ParseFromString(bytes.fromhex(text))
    return {"hex": message.SerializeToString(deterministic=True).hex(), "message": json_format.MessageToDict(message)}


def call(name, request, count=None):
    service, method = name.split("/")
    descriptor = services[service].methods_by_name[method]
    connect = channel.unary_unary if count is None else channel.unary_stream
    ask = connect(
        f"/io.linkerd.mesh.{name}",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=class_of(descriptor.output_type).FromString,
    )
    try:
        answer = ask(json_format.ParseDict(request, class_of(descriptor.input_type)()), timeout=10)
        if count is None:
            return {"answers": [json_format.MessageToDict(answer)]}
        answers = [json_format.MessageToDict(next(answer)) for _ in range(count)]
        answer.cancel()
        return {"answers": answers}
    except grpc.RpcError as error:
        return {"code": error.code().value[0], "details": error.details()}


for line in sys.stdin:
    asked = json.loads(line)
    if "recode" in asked:
        answered = recode(asked["recode"], asked["hex"])
    else:
        answered = call(asked["call"], asked["request"], asked.get("count"))
    print(json.dumps(answered), flush=True)
